"""Models and maps that exist already: the keys `trained` and `maps` of a study.

Each maps an arm (`baseline` or a name) to files, one per model. In the complete config the arms are
augmentations without steps, and the keys that describe a training have the values with which
`design.Design` treats every model as one of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from campare import registry
from campare.errors import CampareError

TRAINED, MAPS = "trained", "maps"
BASELINE = "baseline"
Study = dict[str, Any]
# What describes models that campare trains.
OF_TRAINING = ("augmentations", "sweep", "augmenting", "seeds", "vary", "published")
# What needs the networks, of which a study of maps has only the maps.
OF_NETWORKS = (
    *("cam", "classes", "hybrid", "masking", "occlusion", "own_images", "faithfulness"),
    *("representations", "mosaics", "robustness", "sanity", "single_deletion"),
    "map_exchange",
)
CONTROLS = ("baselines", "matched_seeds", *registry.MATCHED)


def key(study: Mapping[str, Any]) -> str:
    """The key of a study under which it lists files: trained or maps; "" if it has neither."""
    return next((name for name in (TRAINED, MAPS) if name in study), "")


def relax(definition: Study, study: Mapping[str, Any]) -> None:
    """In the schema of a study that lists files, do not require what describes a training."""
    if name := key(study):
        definition["required"].remove("augmentations")
        definition["properties"]["augmentations"]["default"] = {}
        if name == MAPS:
            definition["required"].remove("model")
            model = definition["properties"]["model"]
            model |= {"required": [], "default": {}}
            model["properties"]["architecture"] |= {"default": None}


def add(config: Study, written: Mapping[str, Any], source: str) -> None:
    """Add the arms of `trained` or `maps` to a study; check their files.

    `trained` then maps each arm to {files, architecture, normalise}.

    Parameters
    ----------
    config
        The study with its defaults; changed.
    written
        The study as its file has it.
    source
        Name of the file, with which messages begin.

    Raises
    ------
    CampareError
        A file is missing or of another kind, or a key does not go with `trained` or `maps`.
    """
    if not (name := key(written)):
        if "classes" in written:
            raise CampareError(
                f"{source}: classes: is of a study with `trained`, the order of the classes in the "
                "outputs of its networks; remove the key"
            )
        return
    if problem := next(_problems(name, config, written), None):
        raise CampareError(f"{source}: {problem}")
    if name == TRAINED:
        config[name] = {
            arm: {
                "architecture": config["model"]["architecture"],
                "normalise": config["model"]["normalise"],
                "override": isinstance(spec, Mapping) and "normalise" in spec,
                **(spec if isinstance(spec, Mapping) else {"files": spec}),
            }
            for arm, spec in config[name].items()
        }
    else:
        config[name] = _with_headers(config, source)
    counts = {arm: len(files) for arm, files in files_of(config).items()}
    augmented = [count for arm, count in counts.items() if arm != BASELINE]
    config["seeds"] = list(range(1, max(augmented, default=1) + 1))
    # The number of a model stands for everything that training may have left to chance.
    config["vary"] = ["augmentation", "order", "init"]
    config["augmentations"] = {arm: {} for arm in counts if arm != BASELINE}
    if problem := _too_few(name, config["reference"], counts):
        raise CampareError(f"{source}: {problem}")


def _with_headers(config: Study, source: str) -> Study:
    """`maps` as arm → {files, logits}: whether all files of the arm have logits."""
    from campare import map_files

    arms: Study = {}
    headers: dict[str, map_files.Header] = {}
    try:
        for arm, paths in config[MAPS].items():
            own = {path: map_files.header(Path(path).expanduser()) for path in paths}
            arms[arm] = {"files": paths, "logits": all(one.logits for one in own.values())}
            headers |= own
    except CampareError as problem:
        raise CampareError(f"{source}: maps.{arm}: {problem}") from None
    (first, expected), *others = headers.items()
    measured = config["similarity"]
    native = measured["resolution"] == "native" or any("_native" in m for m in measured["metrics"])
    for path, one in others:
        if one.images != expected.images:
            raise CampareError(
                f"{source}: maps: {path} has maps of {one.images} images, and {first} of "
                f"{expected.images}; make maps of the same test images"
            )
        if native and one.extent != expected.extent:
            sizes = ("×".join(map(str, each.extent)) for each in (one, expected))
            raise CampareError(
                f"{source}: maps: {path} has maps of {next(sizes)}, and {first} of {next(sizes)}; "
                "to compare them, set similarity.resolution: input, without metrics _native"
            )
    return arms


def check_predictions(config: Study, written: Mapping[str, Any], source: str) -> None:
    """If a file of maps has no logits, remove default metrics of predictions; refuse set ones.

    Parameters
    ----------
    config, written, source
        As in `add`; the metrics are checked.

    Raises
    ------
    CampareError
        The study asks for something that needs the predictions.
    """
    if all(arm["logits"] for arm in config.get(MAPS, {}).values()):
        return
    metrics = config["similarity"]["metrics"]
    able = [name for name in metrics if registry.metric(name).of == "maps"]
    for key, holds in {
        "sheets": "sheets" in config,
        "localisation.spurious": (config.get("localisation") or {}).get("spurious"),
        "analysis.segments": "segments" in written.get("analysis", {}),
        "similarity.metrics": able != metrics and "metrics" in written.get("similarity", {}),
    }.items():
        if holds:
            compared = set(metrics) - set(able) if key == "similarity.metrics" else ()
            named = f": {', '.join(sorted(compared))}" if compared else ""
            raise CampareError(
                f"{source}: {key}{named}: needs predictions, and a file under maps has no logits; "
                "add logits to all files, or remove it"
            )
    config["similarity"]["metrics"] = able


def files_of(study: Mapping[str, Any]) -> dict[str, list[str]]:
    """Arm → files, one per model; the baseline first. Empty for a study that trains its models."""
    arms = study.get(key(study), {})
    files = {
        arm: list(spec["files"] if isinstance(spec, Mapping) else spec)
        for arm, spec in arms.items()
    }
    return {**({BASELINE: files[BASELINE]} if files else {}), **files}


def weights_problem(path: str) -> str | None:
    """Why a file cannot be a file of weights, by its first bytes; None if it may be one."""
    try:
        with Path(path).expanduser().open("rb") as file:
            start = file.read(9)
    except OSError as error:
        return f"{path} cannot be read ({error.strerror})"
    # A zip archive or a pickle of torch.save; safetensors: a length and a JSON text.
    if not start.startswith((b"PK", b"\x80")) and start[8:] != b"{":
        return (
            f"{path} is neither a safetensors file nor a PyTorch state dict; write the path of "
            "such a file"
        )
    return None


def _problems(name: str, config: Study, written: Mapping[str, Any]) -> Iterator[str]:
    """Messages about keys that exclude each other, and about files, in the order of importance."""
    if TRAINED in written and MAPS in written:
        yield "trained and maps exclude each other; make maps of all models in the same way"
    for other in OF_TRAINING:
        if written.get(other):
            yield (
                f"{other}: with `{name}` no model is trained, as models of two training programs "
                f"would differ for that reason too; remove the key, or {name}"
            )
    for control in CONTROLS:
        if config.get("controls", {}).get(control):
            yield (
                f"controls.{control}: with `{name}` no model is trained; list further models under "
                f"{name}.baseline"
            )
    if config["model"]["weights"] is not None:
        yield f"model.weights: with `{name}` no model is trained; remove the key"
    if name == MAPS:
        for other in OF_NETWORKS:
            if other in written:
                yield f"{other}: needs the networks; with `maps`, remove the key"
        if config.get("controls", {}).get("uninformative"):
            yield "controls.uninformative: needs a network; with `maps`, remove the key"
    for arm, paths in files_of(config).items():
        if arm in registry.RESERVED.values():
            yield f"{name}.{arm}: is the name of a control; choose another name"
        for place, path in enumerate(paths):
            where = f"{name}.{arm}: "
            if not Path(path).expanduser().is_file():
                yield f"{where}there is no file {path}; write paths relative to {Path.cwd()}"
            elif name == TRAINED and (problem := weights_problem(path)):
                yield where + problem
            elif path in paths[:place]:
                yield f"{where}{path} is given twice; remove one"


def _too_few(name: str, reference: str, counts: Mapping[str, int]) -> str | None:
    """A message about a policy of references that needs more models or arms; None if there are."""
    baselines, arms = counts[BASELINE], len(counts) - 1
    needed = {"all": 2, "disjoint": 1 + arms, "paired": max(counts.values())}.get(reference, 1)
    if baselines < needed:
        return f"{name}.baseline: {baselines} file(s); reference: {reference} needs {needed}"
    if reference == "none" and arms < 2:
        return f"reference: none compares two or more arms besides the baseline; {name} has {arms}"
    return None
