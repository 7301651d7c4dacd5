"""A study: read, checked against the schema, and completed with its defaults."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import best_match

from campare import feasibility, registry
from campare.errors import CampareError
from campare.messages import explain, known, odd, shown

Config = dict[str, Any]
Step = tuple[str, dict[str, Any]]
SCHEMA = Path(__file__).parent / "schemas" / "config.schema.yaml"  # a link to workflow/schemas
# Of the optional stages, each under the key of its file's name.
STAGES = SCHEMA.parent / "stages"
# JSON schema calls 16.0 an integer; file names, and torch, do not.
_Validator = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


def schema() -> Config:
    """The config schema, with the registry's names and parameters filled in."""
    study = copy.deepcopy(_read())
    for file in sorted(STAGES.glob("*.yaml")):
        study["properties"][file.stem] = _inlined(yaml.safe_load(file.read_text(encoding="utf-8")))
    study["$defs"] = {
        "dataset": {"enum": list(registry.DATASETS)},
        "architecture": {"type": "string", "minLength": 1},
        "cam_method": {"enum": list(registry.CAM_METHODS)},
        "metric": {"type": "string", "minLength": 1},
        "augmentation": {
            name: _parameters(entry) for name, entry in registry.AUGMENTATIONS.items()
        },
    }
    return study


def _inlined(part: Any) -> Any:
    """The same with each `$ref` to a file beside the schema in place."""
    if isinstance(part, dict):
        if (name := part.get("$ref", "")).endswith(".yaml"):
            return yaml.safe_load((SCHEMA.parent / name).read_text(encoding="utf-8"))
        return {key: _inlined(value) for key, value in part.items()}
    return part


@cache
def _read() -> Config:
    read: Config = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    return read


def _parameters(entry: registry.Entry) -> Config:
    """JSON schema of the parameters of an augmentation or a data set."""
    properties = {
        name: {"description": parameter.about, "default": parameter.default, **parameter.schema}
        for name, parameter in entry.parameters.items()
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def complete(study: Mapping[str, Any], source: str) -> Config:
    """Check a study and fill in its defaults; the argument is left as it is.

    Parameters
    ----------
    study
        What the YAML file `source` holds.

    Returns
    -------
    dict
        Every key of the schema; `augmentations` maps each name to its steps, a list of
        [registry name, all parameters].

    Raises
    ------
    CampareError
        Names the file, the key, the value and what is allowed.
    """
    config: Config = copy.deepcopy(_plain(study))
    if mistake := odd(config):
        raise CampareError(f"{source}: {mistake}")
    definition = schema()
    error = best_match(_Validator(definition).iter_errors(config))
    if error is not None:
        raise CampareError(f"{source}: {explain(error)}")
    _fill(config, definition)
    _imply_stages(config, definition)
    _check_together(config, study, source)
    try:
        for name in config["similarity"]["metrics"]:
            registry.metric(name)
    except CampareError as problem:
        raise CampareError(f"{source}: similarity.metrics: {problem}") from None
    _choose_summary(config, source)
    _check_fonts(config, source)
    _check_data(config, source)
    _check_sizes(config, study, source)
    _check_architecture("model.architecture", config["model"]["architecture"], source)
    if "hybrid" in config:
        _check_architecture("hybrid.network", config["hybrid"]["network"], source)
        if config["hybrid"]["method"] == "cam":
            raise CampareError(
                f"{source}: hybrid.method: cam needs the weights of a linear layer, in whose place "
                "the SVM stands; choose another, such as gradcam"
            )
    for name in config["architectures"]:
        _check_architecture("architectures", name, source)
    if "masking" in config and config["cam"]["class"] == "true":
        raise CampareError(
            f"{source}: cam.class: 'true' gives a test image's mask away its true class; with "
            "masking it must be predicted"
        )
    config["augmentations"] = {
        name: [list(step) for step in _steps(name, {} if spec is None else spec, source)]
        for name, spec in config["augmentations"].items()
    }
    return config


def _check_fonts(config: Config, source: str) -> None:
    """Fonts that are given as files are there; figures pass over a name that is not installed."""
    for font in config["figures"]["font"]:
        if (
            Path(font).suffix.lower() in registry.FONT_FILES
            and not Path(font).expanduser().is_file()
        ):
            raise CampareError(
                f"{source}: figures.font: no file {font}; give the path of a font file, or the "
                "name of an installed font"
            )


def _plain(value: Any) -> Any:
    """The same with plain dicts and lists (Snakemake gives its own)."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _fill(config: Config, definition: Mapping[str, Any]) -> None:
    """Set the schema's defaults where a key is absent, all the way down, and order the keys.

    Jobs compare their settings with those of an earlier run: another order of keys in the file must
    not make anything again.
    """
    for key, part in definition.get("properties", {}).items():
        if "default" in part:
            config.setdefault(key, copy.deepcopy(part["default"]))
        if key in config:
            config[key] = config.pop(key)
        if isinstance(config.get(key), dict):
            _fill(config[key], part)


def _imply_stages(config: Config, definition: Mapping[str, Any]) -> None:
    """Add the keys of stages that follow from others: data with masks, no reference."""
    source = registry.DATASETS[config["data"]["name"]]
    implied = {
        "controls": config["reference"] == "none",
        "localisation": source.has_regions(config["data"]["root"]),
    }
    for stage, holds in implied.items():
        if holds and stage not in config:
            config[stage] = {}
            _fill(config[stage], definition["properties"][stage])


def _check_together(config: Config, study: Mapping[str, Any], source: str) -> None:
    """Check what keys mean beside each other; of two that exclude each other one becomes null."""
    training = config["training"]
    if (steps := training["steps_per_epoch"]) is not None:
        if "batch_size" in study["training"]:
            raise CampareError(
                f"{source}: training.steps_per_epoch: {steps} stands beside training.batch_size: "
                f"{training['batch_size']}, and each decides the other; take one of them out"
            )
        training["batch_size"] = None
    if config["reference"] == "paired" and config["vary"] == ["augmentation"]:
        raise CampareError(
            f"{source}: reference: paired trains a baseline per seed, but `vary` gives a seed the "
            "augmentation alone, which a baseline has none of; add init, order or subset to vary, "
            "or set reference: one"
        )
    _check_controls(config, source)
    _check_variants(config["cam"], source)
    models = {"baseline": None, **config["augmentations"]}
    for name in config["published"]:
        if name not in models:
            raise CampareError(
                f"{source}: published.{name}: no such model in the study; {known(name, models)}"
            )


def _check_variants(cam: Config, source: str) -> None:
    """No two ways of making maps are the same."""
    main = {key: cam[key] for key in ("method", "class", "target_layer")}
    seen: dict[tuple[Any, ...], str] = {tuple(main.values()): "cam itself"}
    for name, own in cam["variants"].items():
        settings = tuple({**main, **own}.values())
        if settings in seen:
            raise CampareError(
                f"{source}: cam.variants.{name}: is the same as {seen[settings]}; change its "
                "method, class or target_layer, or take it out"
            )
        seen[settings] = f"cam.variants.{name}"


def _check_controls(config: Config, source: str) -> None:
    """Check the baselines against the reference policy, and the other controls."""
    controls = config.get("controls", {})
    reference, seeds = config["reference"], config["seeds"]
    further = controls.get("baselines", {"seeds": [], "vary": []})
    for seed in further["seeds"]:
        if seed in seeds:
            raise CampareError(
                f"{source}: controls.baselines.seeds: {seed} is one of `seeds`, whose models would "
                "share it; take another"
            )
    for stream, key in (("init", "model"), ("order", "training")):
        fixed = config[key]["seed"]
        if stream in {*further["vary"]} - {*config["vary"]} and fixed in further["seeds"]:
            raise CampareError(
                f"{source}: controls.baselines.seeds: {fixed} is {key}.seed, by which the first "
                f"baseline has its {stream} too; take another"
            )
    if further["seeds"] and ("subset" in further["vary"]) != ("subset" in config["vary"]):
        raise CampareError(
            f"{source}: controls.baselines.vary: subset stands in one of this and of `vary`; name "
            "it in both or in none"
        )
    needed = {"all": 1, "disjoint": len(config["augmentations"])}.get(reference, 0)
    if (missing := needed - len(further["seeds"])) > 0:
        raise CampareError(
            f"{source}: reference: {reference} needs {needed} or more controls.baselines.seeds; "
            f"add {missing}"
        )
    if reference == "none" and min(len(config["augmentations"]), len(seeds)) < 2:
        raise CampareError(
            f"{source}: reference: none compares augmentations with each other, by models of "
            "different seeds; name two or more of both"
        )
    for control, name in registry.RESERVED.items():
        if controls.get(control) and name in config["augmentations"]:
            raise CampareError(
                f"{source}: augmentations.{name}: controls.{control} makes models of that name; "
                "choose another"
            )
    if controls.get("matched_seeds") and not any(controls.get(k) for k in registry.MATCHED):
        raise CampareError(
            f"{source}: controls.matched_seeds: no models have them; set "
            "controls.duplicated_originals or controls.longer_training to true, or take the key out"
        )
    if controls.get("longer_training") and config["training"]["steps_per_epoch"] is not None:
        raise CampareError(
            f"{source}: controls.longer_training: with training.steps_per_epoch the baseline takes "
            "as many steps as the others already; take it out"
        )


def _choose_summary(config: Config, source: str) -> None:
    """Fill in, or check, the metric of the summary."""
    measured = config["similarity"]["metrics"]
    able = {name: name for name in measured if registry.metric(name).same is not None}
    if not able and ("controls" in config or config["reference"] == "none"):
        raise CampareError(
            f"{source}: similarity.metrics: {', '.join(measured)} say nothing of how far two maps "
            "are apart, which controls ask; add one that does, such as pearson"
        )
    chosen = config["analysis"]["summary"]
    if chosen is None:
        of_maps = [name for name in able if registry.metric(name).of == "maps"]
        config["analysis"]["summary"] = next(iter([*of_maps, *able, *measured]))
    elif chosen not in able:
        raise CampareError(
            f"{source}: analysis.summary: {chosen!r} is none of similarity.metrics that compares "
            f"two maps; {known(chosen, able)}"
        )


def _check_data(config: Config, source: str) -> None:
    """Check and complete the data set's own parameters."""
    name, given = config["data"]["name"], config["data"].get("parameters")
    if registry.DATASETS[name].parameters:
        full = _parameters_of(registry.DATASETS, name, given or {}, "data.parameters", source)
        config["data"]["parameters"] = full
    elif given is not None:
        raise CampareError(f"{source}: data.parameters: {name} has none; take the key out")
    if "localisation" in config and not registry.DATASETS[name].has_regions(config["data"]["root"]):
        raise CampareError(
            f"{source}: localisation: needs pictures whose regions are known, and {name} has none; "
            "take image_folder with masks under data.root/masks, or shapes, or take the key out"
        )


def _check_sizes(config: Config, study: Mapping[str, Any], source: str) -> None:
    """Check what is asked of so many pixels or augmentations, where their number is known."""
    side = config["data"]["size"] or registry.DATASETS[config["data"]["name"]].side
    problem = None
    if "occlusion" in config and side is not None:
        problem = feasibility.occlusion(config["occlusion"]["sizes"], side)
    number = len(config["augmentations"])
    pairs = number * (number - 1) // 2
    asked = study.get("analysis", {}).get("top_pairs", 0)
    if asked > pairs:
        problem = (
            f"analysis.top_pairs: {asked}, but {number} augmentation(s) make {pairs} pair(s); set "
            "fewer, or take the key out for as many as there are, 4 at most"
        )
    if problem:
        raise CampareError(f"{source}: {problem}")


def _check_architecture(key: str, name: str, source: str) -> None:
    if name in registry.ARCHITECTURES:
        return
    others = registry.torchvision_classifiers()
    # Without torchvision, where a study is only planned, its names cannot be judged.
    if others and name not in others:
        names = [*registry.ARCHITECTURES, *others]
        raise CampareError(f"{source}: {key}: unknown architecture {name!r}; {known(name, names)}")


def _steps(name: str, spec: Any, source: str) -> Iterator[Step]:
    """The registry names and full parameters that an entry of `augmentations` stands for."""
    key = f"augmentations.{name}"
    if not isinstance(spec, Mapping):
        raise CampareError(
            f"{source}: {key}: {shown(spec)} is no mapping of parameters; write {{}} for the "
            "defaults, or take the augmentation out"
        )
    if "compose" in spec:
        parts = spec["compose"]
        if len(spec) > 1 or not isinstance(parts, Sequence) or isinstance(parts, str) or not parts:
            raise CampareError(f"{source}: {key}: compose takes a list of augmentations, alone")
        for part in parts:
            if isinstance(part, Mapping) and len(part) == 1:
                (used, parameters), *_ = part.items()
            else:
                used, parameters = part, {}
            given = {} if parameters is None else parameters
            yield _step(f"{key}.compose", used, given, source)
        return
    parameters = {k: v for k, v in spec.items() if k != "use"}
    yield _step(key, spec.get("use", name), parameters, source)


def _step(key: str, name: Any, parameters: Mapping[str, Any], source: str) -> Step:
    if not isinstance(name, str) or name not in registry.AUGMENTATIONS:
        raise CampareError(
            f"{source}: {key}: unknown augmentation {name!r}; "
            f"{known(str(name), registry.AUGMENTATIONS)}"
        )
    return name, _parameters_of(registry.AUGMENTATIONS, name, parameters, key, source)


def _parameters_of(
    kind: Mapping[str, registry.Entry],
    name: str,
    parameters: Mapping[str, Any],
    key: str,
    source: str,
) -> dict[str, Any]:
    """All parameters of an entry: those given under `key`, checked, and the defaults."""
    entry = kind[name]
    error = best_match(_Validator(_parameters(entry)).iter_errors(parameters))
    if error is not None:
        raise CampareError(f"{source}: {key}{explain(error, prefix='.')}")
    defaults = {k: copy.deepcopy(p.default) for k, p in entry.parameters.items()}
    full = {**defaults, **parameters}
    try:
        registry.check_parameters(name, full)
    except CampareError as problem:
        raise CampareError(f"{source}: {key}: {problem}") from None
    return full
