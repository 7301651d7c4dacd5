"""The config of a study: checked against the schema and completed with its defaults."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import best_match

from campare import (
    data_files,
    feasibility,
    imported,
    known_changes,
    libraries,
    manifest,
    multichannel,
    recipes,
    registry,
    sizes,
    sweep,
    user_code,
)
from campare.design import Design
from campare.errors import CampareError
from campare.messages import explain, known, odd, shown

Config = dict[str, Any]
Step = tuple[str, dict[str, Any]]
SCHEMA = Path(__file__).parent / "schemas" / "config.schema.yaml"  # a link to workflow/schemas
# Schemas of the optional stages; the name of a file is the key of its stage.
STAGES = SCHEMA.parent / "stages"


def _enum(validator: Any, names: Any, value: Any, definition: Config) -> Iterator[Any]:
    """JSON schema's `enum`; with `files: true`, `file.py:function` is allowed, too.

    also: further values, which messages do not list.
    """
    if not (
        definition.get("files") and user_code.is_reference(value)
    ) and value not in definition.get("also", ()):
        yield from Draft202012Validator.VALIDATORS["enum"](validator, names, value, definition)


# JSON schema accepts 16.0 as an integer; file names and torch do not.
_Validator = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"enum": _enum},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


def schema() -> Config:
    """The JSON schema of a study, with the registry's names and parameters filled in."""
    study = copy.deepcopy(_read(SCHEMA))
    for file in sorted(STAGES.glob("*.yaml")):
        study["properties"][file.stem] = _inlined(copy.deepcopy(_read(file)))
    further = [name for name in registry.DATASETS if name.startswith(registry.TORCHVISION)]
    study["$defs"] = {
        "dataset": {
            "enum": [name for name in registry.DATASETS if name not in further],
            "also": further,
            "files": True,
        },
        "architecture": {"type": "string", "minLength": 1},
        "cam_method": {"enum": list(registry.CAM_METHODS), "files": True},
        "metric": {"type": "string", "minLength": 1},
        "augmentation": {
            name: _parameters(entry) for name, entry in registry.AUGMENTATIONS.items()
        },
    }
    return study


def _inlined(part: Any) -> Any:
    """The same part of a schema with each `$ref` to a file replaced by the content of the file."""
    if isinstance(part, dict):
        if (name := part.get("$ref", "")).endswith(".yaml"):
            return copy.deepcopy(_read(SCHEMA.parent / name))
        return {key: _inlined(value) for key, value in part.items()}
    return part


@cache
def _read(file: Path) -> Config:
    """The content of a schema file; not to be changed."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, and 8 times as fast
    read: Config = yaml.load(file.read_text(encoding="utf-8"), loader)
    return read


def _parameters(entry: registry.Entry) -> Config:
    """JSON schema of the parameters of an augmentation or a data set."""
    properties = {
        name: {"description": parameter.about, "default": parameter.default, **parameter.schema}
        for name, parameter in entry.parameters.items()
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def complete(study: Mapping[str, Any], source: str) -> Config:
    """Check a study and fill in its defaults.

    Parameters
    ----------
    study
        Content of a config file; not changed.
    source
        Name of the file, with which messages begin.

    Returns
    -------
    dict
        A value for every key of the schema; `augmentations` maps each name to its steps, a list
        of [registry name or `file.py:function`, all parameters]; `sweep`, if given, maps each
        augmentation and parameter to {name of an arm: value}. Metrics in files of the user have the
        names of their functions; `user_code.functions` then are those of this study.

    Raises
    ------
    CampareError
        Names the file, the key, the value and what is allowed.
    """
    config: Config = copy.deepcopy(_plain(study))
    if mistake := odd(config):
        raise CampareError(f"{source}: {mistake}")
    _check_name(config, source)
    definition = schema()
    imported.relax(definition, config)
    error = best_match(_Validator(definition).iter_errors(config))
    if error is not None:
        raise CampareError(f"{source}: {explain(error)}")
    _fill(config, definition)
    _simplify_sizes(config)
    imported.add(config, study, source)
    _add_sweeps(config, source)
    _check_groups(config, source)
    _imply_stages(config, definition)
    _check_together(config, study, source)
    _check_metrics(config, source)
    imported.check_predictions(config, study, source)
    _choose_summary(config, source)
    _check_fonts(config, source)
    _check_data(config, source)
    _check_shape(config, source)
    try:
        multichannel.complete(config)
    except CampareError as refused:
        raise CampareError(f"{source}: {refused}") from None
    if problem := next(known_changes.problems(config), None):
        raise CampareError(f"{source}: {problem}")
    _check_sizes(config, study, source)
    _check_architectures(config, source)
    _check_methods(config, source)
    if "hybrid" in config and config["hybrid"]["method"] == "cam":
        raise CampareError(
            f"{source}: hybrid.method: cam needs the weights of a linear layer, which the SVM "
            "replaces; choose another method, such as gradcam"
        )
    if not imported.key(config):
        _check_weights(config["model"], source)
    if "masking" in config and config["cam"]["class"] == "true":
        raise CampareError(
            f"{source}: cam.class: with 'true' the mask of a test image depends on its true "
            "class; with masking, set it to predicted"
        )
    config["augmentations"] = {
        # Nothing is drawn for models or maps that exist already.
        name: []
        if imported.key(config)
        else [list(step) for step in _steps(name, {} if spec is None else spec, source)]
        for name, spec in config["augmentations"].items()
    }
    if "robustness" in config:
        _complete_transforms(config, source)
    if problem := next(multichannel.problems(config), None):
        raise CampareError(f"{source}: {problem}")
    user_code.declare(_functions(config))
    return config


def _complete_transforms(config: Config, source: str) -> None:
    """Replace each of `robustness.transforms` by its steps, checked."""
    given = config["robustness"]["transforms"]
    for name, spec in given.items():
        key = f"robustness.transforms.{name}"
        if name in config["augmentations"]:
            raise CampareError(
                f"{source}: {key}: is the name of an augmentation of the study; choose another"
            )
        steps = list(_steps(name, {} if spec is None else spec, source, key=key))
        if not registry.keeps_content(step for step, _ in steps):
            raise CampareError(
                f"{source}: {key}: has a step that does not only move pixels or change colours or "
                "sharpness, so it is unknown what its map should be; choose another transform, "
                "such as rotation or color_jitter"
            )
        given[name] = [list(step) for step in steps]


def _functions(config: Config) -> list[tuple[str, str]]:
    """Kind and reference of all functions in the user's files that a complete study names."""
    hybrid = config.get("hybrid", {})
    variants = config["cam"]["variants"].values()
    steps = [name for steps in config["augmentations"].values() for name, _ in steps]
    named = {
        "data set": [config["data"]["name"]],
        "architecture": [
            *(config["model"]["architecture"], *config["architectures"], hybrid.get("network")),
            *(arm["architecture"] for arm in config.get("trained", {}).values()),
        ],
        "augmentation": steps,
        "CAM method": [
            *(config["cam"]["method"], hybrid.get("method")),
            *(variant.get("method") for variant in variants),
        ],
    }
    metrics = map(registry.plain, config["similarity"]["metrics"])
    named["metric"] = [user_code.called("metric", name) for name in metrics]
    return [
        (k, name) for k, names in named.items() for name in names if user_code.is_reference(name)
    ]


def _check_own(
    kind: str, key: str, reference: str, source: str, parameters: Mapping[str, Any] | None = None
) -> None:
    """Check a function in a file of the user, and its parameters in the study."""
    try:
        user_code.check(kind, reference, parameters or {})
    except CampareError as problem:
        raise CampareError(f"{source}: {key}: {problem}") from None


def _add_sweeps(config: Config, source: str) -> None:
    """Add the arms of sweeps to `augmentations`, checked."""
    if "sweep" not in config:
        return
    given, config["sweep"] = config["sweep"], {}
    try:
        for arm in list(sweep.arms(given, config["augmentations"])):
            _check_value(arm, source)
            config["augmentations"][arm.name] = arm.spec
            parameters = config["sweep"].setdefault(arm.base, {})
            parameters.setdefault(arm.parameter, {})[arm.name] = arm.value
    except CampareError as problem:
        text = str(problem)
        raise CampareError(text if text.startswith(source) else f"{source}: {text}") from None


def _check_value(arm: sweep.Arm, source: str) -> None:
    """Check the value of an arm under the key that lists it."""
    entry = registry.AUGMENTATIONS.get(arm.spec.get("use", ""))
    if entry is not None:
        schema = entry.parameters[arm.parameter].schema
        if schema.get("type") == "array" and not isinstance(arm.value, list):
            schema = schema["items"]
        keyed = {"properties": {arm.parameter: schema}}
        error = best_match(_Validator(keyed).iter_errors({arm.parameter: arm.value}))
        if error is not None:
            raise CampareError(f"{source}: sweep.{arm.base}{explain(error, prefix='.')}")
    for _ in _steps(arm.name, arm.spec, source, key=f"sweep.{arm.base}"):
        pass


def _check_fonts(config: Config, source: str) -> None:
    """Check that font files exist; figures skip names of fonts that are not installed."""
    for font in config["figures"]["font"]:
        if (
            Path(font).suffix.lower() in registry.FONT_FILES
            and not Path(font).expanduser().is_file()
        ):
            raise CampareError(
                f"{source}: figures.font: there is no file {font}; give the path of a font file, "
                "or the name of an installed font"
            )


def _plain(value: Any) -> Any:
    """The same value with plain dicts and lists in place of Snakemake's."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _fill(config: Config, definition: Mapping[str, Any]) -> None:
    """Set the schema's defaults for absent keys, at all levels, and order keys as the schema does.

    Jobs compare their settings with those of an earlier run: another order of keys in the file must
    not cause a rebuild.
    """
    for key, part in definition.get("properties", {}).items():
        if "default" in part:
            config.setdefault(key, copy.deepcopy(part["default"]))
        if key in config:
            config[key] = config.pop(key)
        if isinstance(config.get(key), dict):
            _fill(config[key], part)


def _imply_stages(config: Config, definition: Mapping[str, Any]) -> None:
    """Add the keys of stages that other keys imply: data with masks, `reference: none`."""
    source = registry.entry(registry.DATASETS, config["data"]["name"])
    implied = {
        "controls": config["reference"] == "none"
        or len(imported.files_of(config).get("baseline", [])) > 1,
        "localisation": source.has_regions(config["data"]["root"]),
    }
    for stage, holds in implied.items():
        if holds and stage not in config:
            config[stage] = {}
            _fill(config[stage], definition["properties"][stage])


def _check_together(config: Config, study: Mapping[str, Any], source: str) -> None:
    """Check combinations of keys; of two keys that exclude each other one becomes null."""
    training = config["training"]
    if (steps := training["steps_per_epoch"]) is not None:
        if "batch_size" in study["training"]:
            raise CampareError(
                f"{source}: training.steps_per_epoch: {steps} and training.batch_size: "
                f"{training['batch_size']} exclude each other; remove one of them"
            )
        training["batch_size"] = None
    if config["reference"] == "paired" and config["vary"] == ["augmentation"]:
        raise CampareError(
            f"{source}: reference: paired trains a baseline per seed, but `vary` lists only "
            "augmentation, so all baselines would be the same; add init, order or subset to vary, "
            "or set reference: one"
        )
    if problem := next(recipes.problems(config, study.get("training", {})), None):
        raise CampareError(f"{source}: {problem}")
    _check_augmenting(config, study, source)
    _check_controls(config, source)
    if "representations" in config:
        if "controls" not in config:
            raise CampareError(
                f"{source}: representations: compares pairs of models, which controls lists; add "
                "controls.baselines, or remove the key"
            )
        images, count = (config["representations"][key] for key in ("images", "neighbours"))
        if count > images - 2:
            raise CampareError(
                f"{source}: representations.neighbours: {count} of {images} images; set it to "
                f"{images - 2} or fewer, or representations.images to more"
            )
    if "map_exchange" in config and not config["augmentations"] and not config.get("controls"):
        raise CampareError(
            f"{source}: map_exchange: there is one model, which cannot exchange its maps; add "
            "augmentations or controls.baselines, or remove the key"
        )
    if "single_deletion" in config:
        if imported.key(config):
            raise CampareError(
                f"{source}: single_deletion: fine-tunes every model, but the models of this study "
                "were trained elsewhere; remove the key"
            )
        cells = config["single_deletion"]["cells"]
        side = min(sizes.pair(config["model"]["input_size"]))
        if cells > side:
            raise CampareError(
                f"{source}: single_deletion.cells: {cells}, but model.input_size is {side} pixels; "
                f"set it to {side} or fewer"
            )
    if "sanity" in config:
        _check_sanity(config, source)
    if "frost" in config.get("robustness", {}).get("corruptions", ()):
        from campare import corruptions

        if corruptions.frost_folder() is None:
            raise CampareError(
                f"{source}: robustness.corruptions: frost needs photographs of the package "
                f"{corruptions.PACKAGE}, which is not installed; install it "
                f"(`{corruptions.INSTALL}`), or remove frost"
            )
    _check_variants(config["cam"], source)
    _check_epochs(config, source)
    models = {"baseline": None, **config["augmentations"]}
    for name in config["published"]:
        if name not in models:
            raise CampareError(
                f"{source}: published.{name}: the study has no such model; {known(name, models)}"
            )


def _check_augmenting(config: Config, study: Mapping[str, Any], source: str) -> None:
    """Check that `augmenting` has the keys of its mode alone; without copies, their number is 0."""
    augmenting, written = config["augmenting"], study.get("augmenting", {})
    if augmenting["mode"] == "added":
        if "probability" in written:
            raise CampareError(
                f"{source}: augmenting.probability: with mode: added every copy is augmented; set "
                "augmenting.mode to in_place, or remove the key"
            )
        return
    if "copies" in written:
        raise CampareError(
            f"{source}: augmenting.copies: {augmenting['copies']} and augmenting.mode: in_place "
            "exclude each other; remove one of them"
        )
    augmenting["copies"] = 0
    for control in registry.MATCHED:
        if config.get("controls", {}).get(control):
            raise CampareError(
                f"{source}: controls.{control}: with augmenting.mode: in_place every model is "
                "trained for as many steps as the baseline already; remove it"
            )


def _check_variants(cam: Config, source: str) -> None:
    """Check that no two variants are the same."""
    main = {key: cam[key] for key in ("method", "class", "target_layer")}
    seen: dict[tuple[Any, ...], str] = {tuple(main.values()): "cam itself"}
    for name, changed in cam["variants"].items():
        settings = tuple({**main, **changed}.values())
        if settings in seen:
            raise CampareError(
                f"{source}: cam.variants.{name}: is the same as {seen[settings]}; change its "
                "method, class or target_layer, or remove it"
            )
        seen[settings] = f"cam.variants.{name}"


def _check_epochs(config: Config, source: str) -> None:
    """Check that the epochs of `cam.epochs` are trained, and order them."""
    key, epochs, training = f"{source}: cam.epochs", config["cam"]["epochs"], config["training"]
    if not epochs:
        return
    if name := imported.key(config):
        raise CampareError(f"{key}: with `{name}` no model is trained; remove the key")
    for epoch in epochs:
        if isinstance(epoch, str) and epoch != training["keep"]:
            raise CampareError(
                f"{key}: {epoch}, but training.keep is {training['keep']}; write that, or change "
                "training.keep"
            )
        if not isinstance(epoch, str) and epoch > training["epochs"]:
            raise CampareError(
                f"{key}: {epoch}, but training.epochs is {training['epochs']}; write a smaller "
                "number, or train longer"
            )
    if all(isinstance(epoch, str) for epoch in epochs):
        raise CampareError(
            f"{key}: the maps of {epochs[0]} are made without the key; add numbers of epochs"
        )
    if training["early_stopping"] is not None:
        raise CampareError(
            f"{key}: with training.early_stopping: {training['early_stopping']} some models may "
            "not reach these epochs; remove one of the keys"
        )
    if not Design(config).summarised:
        raise CampareError(
            f"{key}: the map shift of an epoch needs a noise floor, of two or more baselines that "
            "differ as the augmented models do; add controls.baselines, or set reference: paired "
            "and controls: {}, or remove the key"
        )
    config["cam"]["epochs"] = sorted(
        epochs, key=lambda epoch: math.inf if isinstance(epoch, str) else epoch
    )


def _check_controls(config: Config, source: str) -> None:
    """Check the further baselines, their number for the reference policy, and other controls."""
    controls = config.get("controls", {})
    reference, seeds = config["reference"], config["seeds"]
    further = controls.get("baselines", {"seeds": [], "vary": []})
    for seed in further["seeds"]:
        if seed in seeds:
            raise CampareError(
                f"{source}: controls.baselines.seeds: {seed} is one of `seeds` too; choose another "
                "seed, which no augmented model has"
            )
    for stream, key in (("init", "model"), ("order", "training")):
        fixed = config[key]["seed"]
        if stream in {*further["vary"]} - {*config["vary"]} and fixed in further["seeds"]:
            raise CampareError(
                f"{source}: controls.baselines.seeds: {fixed} is {key}.seed, which decides the "
                f"{stream} of the first baseline; choose another seed"
            )
    if further["seeds"] and ("subset" in further["vary"]) != ("subset" in config["vary"]):
        raise CampareError(
            f"{source}: controls.baselines.vary: subset is listed either here or in `vary`; list "
            "it in both or in neither"
        )
    missing_streams = [s for s in config["vary"] if s not in ("augmentation", *further["vary"])]
    if further["seeds"] and reference in ("all", "disjoint") and missing_streams:
        raise CampareError(
            f"{source}: controls.baselines.vary: {', '.join(missing_streams)} is missing; without "
            f"it all baselines share it with the models of seed {seeds[0]}, which leaves these no "
            f"baseline to be compared with by reference: {reference}; add it"
        )
    needed = {"all": 1, "disjoint": len(config["augmentations"])}.get(reference, 0)
    # `imported.add` checks the numbers of models that are listed.
    listed = bool(imported.key(config))
    if not listed and (missing := needed - len(further["seeds"])) > 0:
        raise CampareError(
            f"{source}: reference: {reference} needs {needed} or more controls.baselines.seeds; "
            f"add {missing}"
        )
    if not listed and reference == "none" and min(len(config["augmentations"]), len(seeds)) < 2:
        raise CampareError(
            f"{source}: reference: none compares augmentations with each other, by models of "
            "different seeds; set two or more of both"
        )
    for control, name in registry.RESERVED.items():
        if controls.get(control) and name in config["augmentations"]:
            raise CampareError(
                f"{source}: augmentations.{name}: controls.{control} trains models of that name; "
                "choose another name"
            )
    if controls.get("matched_seeds") and not any(controls.get(k) for k in registry.MATCHED):
        raise CampareError(
            f"{source}: controls.matched_seeds: there are no step-matched models; set "
            "controls.duplicated_originals or controls.longer_training to true, or remove the key"
        )
    if controls.get("longer_training") and config["training"]["steps_per_epoch"] is not None:
        raise CampareError(
            f"{source}: controls.longer_training: with training.steps_per_epoch all models are "
            "trained for the same number of steps already; remove it"
        )


def _choose_summary(config: Config, source: str) -> None:
    """Set the metric of the summary, or check the one that is set."""
    measured = config["similarity"]["metrics"]
    able = [name for name in measured if registry.metric(name).same is not None]
    if not able and ("controls" in config or config["reference"] == "none"):
        raise CampareError(
            f"{source}: similarity.metrics: none of {', '.join(measured)} compares two maps, which "
            "controls and reference: none need; add one that does, such as pearson"
        )
    chosen = config["analysis"]["summary"]
    if chosen is None:
        of_maps = [name for name in able if registry.metric(name).of == "maps"]
        config["analysis"]["summary"] = next(iter([*of_maps, *able, *measured]))
    elif chosen not in able:
        raise CampareError(
            f"{source}: analysis.summary: {chosen!r} is not one of the similarity.metrics that "
            f"compare two maps; {known(chosen, able)}"
        )
    for name in config["analysis"]["by_class"]:
        if name not in able:
            raise CampareError(
                f"{source}: analysis.by_class: {name!r} is not one of the similarity.metrics that "
                f"compare two maps; {known(name, able)}"
            )
    if config["analysis"]["by_class"] and not {"controls", "localisation"} & config.keys():
        raise CampareError(
            f"{source}: analysis.by_class: the map shift needs a noise floor; add "
            "controls.baselines, or remove the key"
        )


def _check_sanity(config: Config, source: str) -> None:
    """Check that there is something to compare, and that a network for it can be trained."""
    measured = config["similarity"]["metrics"]
    if not any(
        entry.of == "maps" and entry.same is not None for entry in map(registry.metric, measured)
    ):
        raise CampareError(
            f"{source}: sanity: none of the similarity.metrics {', '.join(measured)} compares two "
            "maps; add one that does, such as pearson, or remove the key sanity"
        )
    if not config["sanity"]["permuted_labels"]:
        return
    if imported.key(config):
        raise CampareError(
            f"{source}: sanity.permuted_labels: trains a network, but the models of this study "
            "were trained elsewhere; remove the key"
        )
    if "permuted_labels" in config["augmentations"]:
        raise CampareError(
            f"{source}: augmentations.permuted_labels: sanity.permuted_labels trains a model of "
            "that name; choose another name"
        )


def _check_name(config: Config, source: str) -> None:
    """Check the name of a data set of torchvision; the schema checks the others."""
    data = config.get("data")
    name = data.get("name") if isinstance(data, dict) else None
    try:
        if isinstance(name, str):
            registry.check_dataset(name)
    except CampareError as problem:
        raise CampareError(f"{source}: data.name: {problem}") from None


def _check_source(data: Mapping[str, Any], entry: registry.Source, source: str) -> None:
    """Check root, size and window of the images."""
    name = data["name"]
    if entry.suffixes:
        try:
            data_files.matching(data["root"], entry.suffixes, several=name == "parquet")
        except CampareError as problem:
            raise CampareError(f"{source}: {problem}") from None
    if name.startswith(registry.TORCHVISION) and not (entry.side or data["size"]):
        raise CampareError(
            f"{source}: data.size: the images of {name} differ in size or are not square; set it "
            "to a side in pixels, such as 224, or to [height, width]"
        )
    if "window" in data and not entry.window:
        able = [key for key, each in registry.DATASETS.items() if each.window]
        raise CampareError(
            f"{source}: data.window: {name} has none; remove the key (it is for {', '.join(able)})"
        )
    if "window" in data:
        _check_window(data["window"], several=name == "arrays", source=source)


def _check_window(window: Sequence[Any], *, several: bool, source: str) -> None:
    """Check the window of the levels, or those of several channels."""
    key = f"{source}: data.window: "
    windows = window if all(isinstance(each, list) for each in window) else [window]
    if windows is window and not several:
        raise CampareError(
            f"{key}{shown(window)}: only arrays may have a window for each channel; write [low, "
            "high]"
        )
    for each in windows:
        if len(each) != 2 or not all(isinstance(v, int | float) for v in each):
            says = schema()["properties"]["data"]["properties"]["window"]["says"]
            raise CampareError(f"{key}{shown(window)}; must be {says}")
        low, high = each
        if low >= high:
            raise CampareError(
                f"{key}[{low}, {high}] is not [low, high]; write the level that becomes black first"
            )


def _check_data(config: Config, source: str) -> None:
    """Check and complete the data set's own parameters."""
    name, parameters = config["data"]["name"], config["data"].get("parameters")
    entry = registry.entry(registry.DATASETS, name)
    _check_source(config["data"], entry, source)
    if user_code.is_reference(name):
        _check_own("data set", "data.name", name, source, parameters)
    elif entry.parameters:
        full = _parameters_of(registry.DATASETS, name, parameters or {}, "data.parameters", source)
        config["data"]["parameters"] = full
    elif parameters is not None:
        raise CampareError(f"{source}: data.parameters: {name} has no parameters; remove the key")
    if "window" in config["data"]:
        # A keyword argument of the data set, as its parameters are.
        window = config["data"].pop("window")
        config["data"]["parameters"] = {**config["data"].get("parameters", {}), "window": window}
    possible = entry.regions == "unknown" or entry.has_regions(config["data"]["root"])
    if "localisation" in config and not possible:
        raise CampareError(
            f"{source}: localisation: needs masks of the test images, and {name} has none; set "
            "data.name to image_folder, with masks in data.root/masks, to manifest, with a column "
            "mask, to arrays or to shapes, or remove the key"
        )


def _check_groups(config: Config, source: str) -> None:
    """Check the columns of a manifest, the groups, and that settings of the split suit them."""
    parts, name = config["split"], config["data"]["name"]
    group, file = parts.get("group"), Path(config["data"]["root"]).expanduser()
    try:
        if name == "manifest":
            manifest.columns(file)
            if group is not None:
                manifest.check_group(file, group)
        elif name == "arrays" and group is not None:
            from campare import array_files

            array_files.check_group(file, group)
        elif group is not None:
            raise CampareError(
                f"split.group: {name} has no groups; list the images in a manifest with a column "
                f"{group!r} and set data.name to manifest, or remove the key"
            )
    except CampareError as problem:
        key = "" if str(problem).startswith("split.") else "data.root: "
        raise CampareError(f"{source}: {key}{problem}") from None
    if group is not None and parts["subset"]:
        raise CampareError(
            f"{source}: split.subset: {parts['subset']} cannot be combined with split.group, which "
            "keeps groups whole; remove images from the data set instead"
        )


def _simplify_sizes(config: Config) -> None:
    """Replace [n, n], the size of a square, by n."""
    for part, key in (("data", "size"), ("model", "input_size")):
        size = config[part][key]
        if isinstance(size, list) and size[0] == size[1]:
            config[part][key] = size[0]


def _check_shape(config: Config, source: str) -> None:
    """Check that the images and the input of the network are both square, both wide or both tall.

    Images whose size is not known yet are checked when they are read (`data.load`).
    """
    data, size = config["data"], config["model"]["input_size"]
    if data["name"] in registry.DRAWN:
        for key, each in (("data.size", data["size"]), ("model.input_size", size)):
            if isinstance(each, list):
                raise CampareError(
                    f"{source}: {key}: {sizes.written(each)}, but {data['name']} draws square "
                    "images; set it to one number"
                )
    given = data["size"] or registry.entry(registry.DATASETS, data["name"]).side or size
    own, theirs = sizes.shape(size), sizes.shape(given)
    if own != theirs:
        raise CampareError(
            f"{source}: model.input_size: {sizes.written(size)} is {own}, and the images, "
            f"{sizes.text(given)}, are {theirs}; set data.size to {sizes.written(size)} (and "
            f"data.fit to crop or pad), or model.input_size to {sizes.written(given)}"
        )


def _check_sizes(config: Config, study: Mapping[str, Any], source: str) -> None:
    """Check sizes against the number of pixels, if it is known, and of augmentations."""
    size = config["data"]["size"] or registry.entry(registry.DATASETS, config["data"]["name"]).side
    problem = None
    if "occlusion" in config and size is not None:
        problem = feasibility.occlusion(config["occlusion"]["sizes"], size)
    number = len(config["augmentations"])
    pairs = number * (number - 1) // 2
    top_pairs = study.get("analysis", {}).get("top_pairs", 0)
    if top_pairs > pairs:
        problem = (
            f"analysis.top_pairs: {top_pairs}, but {number} augmentation(s) have {pairs} pair(s); "
            "set fewer, or remove the key, which takes all pairs, 4 at most"
        )
    if problem:
        raise CampareError(f"{source}: {problem}")


def _check_metrics(config: Config, source: str) -> None:
    """Check the metrics, and give those in files of the user the names of their functions."""
    similarity, analysis = config["similarity"], config["analysis"]
    written = similarity["metrics"]
    own = dict.fromkeys(registry.plain(name) for name in written if user_code.is_reference(name))
    user_code.declare(("metric", reference) for reference in own)
    names: dict[str, str] = {}
    try:
        for reference in own:
            user_code.check("metric", reference, {})
            user_code.metric_settings(reference)
            registry.check_free(reference, names)
            names[user_code.short(reference)] = reference
        similarity["metrics"] = [user_code.short(name) for name in written]
        for name in similarity["metrics"]:
            registry.metric(name)
    except CampareError as problem:
        raise CampareError(f"{source}: similarity.metrics: {problem}") from None
    if analysis["summary"] is not None:
        analysis["summary"] = user_code.short(analysis["summary"])
    analysis["by_class"] = [user_code.short(name) for name in analysis["by_class"]]


def _check_methods(config: Config, source: str) -> None:
    """Check CAM methods in files of the user; the schema has checked the others."""
    methods = {"cam.method": config["cam"]["method"]}
    for name, variant in config["cam"]["variants"].items():
        methods[f"cam.variants.{name}.method"] = variant.get("method")
    if "hybrid" in config:
        methods["hybrid.method"] = config["hybrid"]["method"]
    for key, name in methods.items():
        if user_code.is_reference(name):
            _check_own("CAM method", key, name, source)


def _check_architectures(config: Config, source: str) -> None:
    """Check the architectures and the parameters of the model's."""
    model, hybrid = config["model"], config.get("hybrid", {})
    _check_networks(config, source)
    candidates = [("architectures", name) for name in config["architectures"]]
    if hybrid:
        candidates.append(("hybrid.network", hybrid["network"]))
    names: dict[str, str] = {}
    for key, name in candidates:
        own = model if name == model["architecture"] else None
        _check_architecture(key, name, source, own)
        # They are part of names of files.
        if names.setdefault(user_code.short(name), name) != name:
            raise CampareError(
                f"{source}: {key}: {names[user_code.short(name)]} and {name} would have the same "
                "name in files and figures; rename one of the functions"
            )


def _check_networks(config: Config, source: str) -> None:
    """Check architecture and normalisation of the study, and of arms that have their own."""
    model, arms = config["model"], config.get("trained", {})
    for key, network in {
        "model": model,
        **{f"trained.{n}": own for n, own in arms.items()},
    }.items():
        _check_normalisation(f"{key}.normalise", network["normalise"], config, source)
        name = network["architecture"]
        if name is not None:  # null for maps made elsewhere
            own = model if name == model["architecture"] else None
            _check_architecture(f"{key}.architecture", name, source, own)


def _check_architecture(
    key: str, name: str, source: str, model: Mapping[str, Any] | None = None
) -> None:
    parameters = (model or {}).get("parameters")
    if user_code.is_reference(name):
        _check_own("architecture", key, name, source, parameters)
        return
    if parameters is not None:
        raise CampareError(f"{source}: model.parameters: {name} has no parameters; remove the key")
    try:
        registry.check_architecture(name)
    except CampareError as problem:
        raise CampareError(f"{source}: {key}: {problem}") from None


def _check_weights(model: Config, source: str) -> None:
    """Check that there is a file of weights, or that there may be published weights."""
    weights, architecture = model["weights"], model["architecture"]
    key = f"{source}: model.weights"
    if weights is None:
        if "." in (registry.timm_name(architecture) or ""):
            raise CampareError(
                f"{source}: model.architecture: {architecture} names weights by a tag; write "
                "model.weights: published to use them, or remove the tag"
            )
    elif weights == "published":
        if not registry.has_published(architecture):
            raise CampareError(
                f"{key}: there are no published weights of {architecture}; write null, the path of "
                "a file, or name another architecture"
            )
    else:
        path = Path(weights).expanduser()
        if not path.is_file():
            raise CampareError(
                f"{key}: there is no file {weights}; write the path of a file of weights, "
                "published or null"
            )
        if problem := imported.weights_problem(weights):
            raise CampareError(f"{key}: {problem}")


def _check_normalisation(key: str, setting: Any, config: Config, source: str) -> None:
    key = f"{source}: {key}"
    if isinstance(setting, str):
        if setting not in ("training", "imagenet"):
            says = schema()["properties"]["model"]["properties"]["normalise"]["says"]
            raise CampareError(f"{key}: {shown(setting)}; must be {says}")
        return
    channels = config["data"]["channels"]
    allowed = (channels,) if channels else (1, 3)
    means, stds = len(setting["mean"]), len(setting["std"])
    if means not in allowed:
        numbers = " or ".join(map(str, allowed))
        raise CampareError(f"{key}.mean: {means} value(s); write {numbers}, a number per channel")
    if stds != means:
        raise CampareError(f"{key}.std: {stds} value(s); write {means}, as many as in mean")


def _steps(name: str, spec: Any, source: str, key: str | None = None) -> Iterator[Step]:
    """Registry name and all parameters of each transform of an entry of `augmentations`.

    `key` is the key of the entry in messages.
    """
    key = key or f"augmentations.{name}"
    if not isinstance(spec, Mapping):
        raise CampareError(
            f"{source}: {key}: {shown(spec)} is not a mapping of parameters; write {{}} for the "
            "defaults, or remove the augmentation"
        )
    if "compose" in spec:
        parts = spec["compose"]
        if len(spec) > 1 or not isinstance(parts, Sequence) or isinstance(parts, str) or not parts:
            raise CampareError(
                f"{source}: {key}: compose needs a list of augmentations, and allows no other key"
            )
        for part in parts:
            if isinstance(part, Mapping) and len(part) == 1:
                (used, parameters), *_ = part.items()
            else:
                used, parameters = part, {}
            yield _step(f"{key}.compose", used, {} if parameters is None else parameters, source)
        return
    for library in registry.LIBRARIES:
        if library in spec:
            if len(spec) > 1:
                raise CampareError(
                    f"{source}: {key}: {library} needs {{name: <class>, <parameter>: <value>, …}}, "
                    "and allows no other key beside it"
                )
            yield _step(key, library, spec[library], source)
            return
    parameters = {k: v for k, v in spec.items() if k != "use"}
    yield _step(key, spec.get("use", name), parameters, source)


def _step(key: str, name: Any, parameters: Any, source: str) -> Step:
    if isinstance(name, str) and name in registry.LIBRARIES:
        key = f"{key}.{name}"
        if not isinstance(parameters, Mapping):
            raise CampareError(
                f"{source}: {key}: {shown(parameters)}; must be a mapping with name, the class of "
                "the transform, and its parameters"
            )
        try:
            libraries.check(name, parameters)
        except CampareError as problem:
            raise CampareError(f"{source}: {key}.{problem}") from None
        return name, dict(parameters)
    if user_code.is_reference(name):
        if not isinstance(parameters, Mapping):
            raise CampareError(
                f"{source}: {key}: {name}: {shown(parameters)} is not a mapping of parameters"
            )
        _check_own("augmentation", key, name, source, parameters)
        return name, dict(parameters)
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
    """All parameters of an entry: those of the study under `key`, checked, and the defaults."""
    entry = kind[name]
    error = best_match(_Validator(_parameters(entry)).iter_errors(parameters))
    if error is not None:
        raise CampareError(f"{source}: {key}{explain(error, prefix='.')}")
    defaults = {k: copy.deepcopy(p.default) for k, p in entry.parameters.items()}
    full = {**defaults, **parameters}
    for k, parameter in entry.parameters.items():
        if parameter.later and full[k] == parameter.default:
            del full[k]
    try:
        registry.check_parameters(name, full)
    except CampareError as problem:
        raise CampareError(f"{source}: {key}: {problem}") from None
    return full
