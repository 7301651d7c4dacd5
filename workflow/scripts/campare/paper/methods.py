"""A methods section of a study in Markdown, written from its config and its files.

Every sentence depends on a setting or a recorded fact, so that it stays true if either changes.
What no file records is left to the authors, in square brackets: [to be added by the authors: …].
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from campare import feasibility, registry, sizes, statistics, user_code
from campare.design import BASELINE, Design
from campare.labels import in_sentence, title
from campare.paper.facts import Facts, energy
from campare.paper.references import (
    BALANCED_SAMPLING,
    LABEL_SMOOTHING,
    LIBRARIES,
    MOVING_AVERAGE,
    OPTIMIZERS,
    SCHEDULES,
    SOFTWARE,
    cite,
)

NAMES = {
    "adam": "Adam",
    "adamw": "AdamW",
    "sgd": "stochastic gradient descent",
    "muon": "Muon for the weights of convolutions and stochastic gradient descent for the others",
}
PRECISIONS = {"float32": "float32", "tf32": "TF32 (convolutions)", "bfloat16": "bfloat16"}
STREAMS = {
    "init": "the initial weights",
    "order": "the order of the training images",
    "augmentation": "the augmentation",
    "subset": "the choice of the training and validation images",
}
CLASSES = {
    "predicted": "the class that the network predicts",
    "true": "the true class",
    "baseline": "the class that the baseline predicts",
}
FEW_CLASSES = 20
# Names of data sets in a sentence, if it is not how their description begins.
DATASETS = {"digits": "the handwritten digits of scikit-learn"}
# Metrics that several entries of a study belong to: family → definition, with {shares}.
OVERLAPS = {
    "overlap": (
        "overlap rate: intersection over union of the top {shares} of the pixels of each map; "
        "pixels of equal value that compete for the last places are partial members"
    ),
    "overlap_ties": (
        "overlap rate with ties: intersection over union of the pixels of each map that are "
        "among the top {shares} or equal the lowest of these"
    ),
    "overlap_corrected": (
        "chance-corrected overlap rate: (o − e)/(1 − e), with the overlap rate o of the top "
        "{shares} and its value e for unrelated masks of the same areas"
    ),
}
LABELS = {
    "mixed": "labels are mixed as the images are",
    "kept": "the label of the image is kept",
}
NUMBERS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]


def markdown(design: Design, facts: Facts) -> str:
    """The methods section of a study.

    Parameters
    ----------
    design
        The design of the study.
    facts
        What its files record.
    """
    sections = {
        "Data": data(design, facts),
        "Networks and training": networks(design, facts),
        "Augmentations": augmentations(design),
        "Seeds and controls": seeds(design),
        "Class activation maps": maps(design, facts),
        "Metrics": metrics(design),
        "Statistics": statistical(design),
        "Further measurements": stages(design, facts),
        "Software and hardware": computing(design, facts),
    }
    text = "# Methods\n"
    for heading, sentences in sections.items():
        paragraphs = "\n\n".join(" ".join(part) for part in _paragraphs(sentences))
        if paragraphs:
            text += f"\n## {heading}\n\n{paragraphs}\n"
    return text


Sentences = Iterator[str]
BREAK = "\n"  # begins a new paragraph


def _paragraphs(sentences: Sentences) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for sentence in sentences:
        if sentence == BREAK:
            parts.append([])
        elif sentence:
            parts[-1].append(sentence.strip())
    return [part for part in parts if part]


# ---- Data ----------------------------------------------------------------------------------------


def data(design: Design, facts: Facts) -> Sentences:
    """The images and their division."""
    study = design.study
    source, parts = study["data"], study["split"]
    colour = {1: "grey-level", 3: "RGB"}.get(facts.channels, f"{facts.channels}-channel")
    size = sizes.text(facts.size)
    kinds = f"{number(len(facts.classes))} classes"
    if len(facts.classes) <= FEW_CLASSES:
        kinds += f" ({listed(map(str, facts.classes))})"
    name = source["name"]
    if user_code.is_reference(name):
        yield (
            f"The data set is read by a function of the study, `{name}` [to be added by the "
            f"authors: source and citation]; it has {facts.available:,} {colour} images of {size} "
            f"in {kinds}."
        )
    elif name in registry.OWN_FILES:
        yield (
            f"The data set [to be added by the authors: name and citation] has "
            f"{facts.available:,} {colour} images of {size} in {kinds}, which were read from "
            f"{registry.OWN_FILES[name]}."
        )
    elif name in registry.DRAWN:
        yield (
            f"The data set consists of {facts.available:,} generated {colour} images of {size} in "
            f"{kinds}, each with one shape on a cluttered background; it is generated by campare "
            f"with the parameters {settings(source['parameters'])}."
        )
    else:
        about = DATASETS.get(name, registry.DATASETS[name].about.split(", ")[0])
        yield (
            f"We used {about}"
            f"{cite(registry.DATASETS[name].reference)}: {facts.available:,} {colour} images of "
            f"{size} in {kinds}."
        )
        if parameters := source.get("parameters"):
            yield f"Its parameters are {settings(parameters)}."
    if window := source.get("parameters", {}).get("window"):
        several = isinstance(window[0], Sequence)
        ranges = listed(f"{low:g} to {high:g}" for low, high in (window if several else [window]))
        of = " in the channels, in their order," if several else ""
        yield f"Grey levels from {ranges}{of} were mapped linearly to 8 bits."
    if source["size"]:
        how = "with their centre cut out" if source["fit"] == "crop" else "padded with black"
        other = "not square" if isinstance(source["size"], int) else "of another aspect ratio"
        yield f"Images were resized to this size when they were read, and {how} if {other}."
    counts = facts.images
    numbers = (
        f"{counts['train']:,} images for training, {counts['validation']:,} for validation and "
        f"{counts['test']:,} for the test, with every class in proportion"
    )
    if "group" in parts:
        numbers += f" as nearly as whole groups allow: each {parts['group']} is in one subset"
    if facts.used < facts.available:
        yield f"A stratified sample was used: {numbers}."
    else:
        yield f"We used {numbers}."
    if facts.divided:
        yield "Test images are from the data set's own test part."
    seed = parts["seed"]
    if design.one_split:
        yield f"The division is the same for all networks (random seed {seed})."
    else:
        yield (
            f"The test images are the same for all networks (random seed {seed}); training and "
            "validation images were drawn for each seed."
        )
    if facts.regions:
        yield f"Masks of {listed(facts.regions)} are known for the images."


# ---- Networks and training -----------------------------------------------------------------------


def networks(design: Design, facts: Facts) -> Sentences:
    """Architecture, initial weights and recipe."""
    study = design.study
    if "maps" in study:
        yield (
            f"Networks were trained, and maps made, outside of this study [to be added by the "
            f"authors: architecture and training]; {_imported_numbers(design)}."
        )
        return
    model = study["model"]
    if "trained" in study:
        yield (
            "Networks were trained outside of this study [to be added by the authors: training]; "
            f"{_imported_numbers(design)}."
        )
        for name in design.architectures:
            yield f"The architecture is {architecture(name)}{_details(name)}."
        yield _inputs(model, facts)
        return
    count = f", with {facts.parameters:,} parameters" if facts.parameters else ""
    details = _details(model["architecture"])
    yield f"The network is {architecture(model['architecture'])}{count}{details}."
    if model.get("parameters"):
        yield f"Its parameters are {settings(model['parameters'])}."
    yield _inputs(model, facts)
    yield from _initial(model)
    yield BREAK
    yield from _recipe(design, facts)


def architecture(name: str) -> str:
    """An architecture in a sentence, with its citation."""
    reference = cite(reference_of(name))
    if user_code.is_reference(name):
        return f"`{name}`, a function of the study [to be added by the authors: citation]"
    entry = registry.ARCHITECTURES.get(name)
    timm = registry.timm_name(name)
    if timm:
        return f"{timm} of the library timm{cite(SOFTWARE['timm'], reference_of(name))}"
    if entry is None:
        return f"torchvision's {title(name)}{reference}"
    if entry.about.startswith("torchvision's"):
        return f"{entry.about}{reference}"
    return f"`{name}` of campare{reference}"


def reference_of(name: str) -> str:
    """What a paper cites for an architecture."""
    return registry.architecture_reference(name)


def _details(name: str) -> str:
    """The layers of a network of campare itself: ": three convolutions …"; "" for others."""
    entry = registry.ARCHITECTURES.get(name)
    if entry is None or entry.about.startswith("torchvision's"):
        return ""
    return f": {_about(re.split('; |: ', entry.about)[0])}"


def _imported_numbers(design: Design) -> str:
    numbers = {name: len(design.models_of(name)) for name in dict(design.models)}
    several = [f"{count} of {arm(name)}" for name, count in numbers.items()]
    return f"this study uses {listed(several)}"


def _inputs(model: Mapping[str, Any], facts: Facts) -> str:
    size = sizes.text(model["input_size"])
    resized = size != sizes.text(facts.size)
    normalise = model["normalise"]
    by = {
        "training": "the mean and standard deviation of the training images",
        "imagenet": "the mean and standard deviation of ImageNet",
    }.get(normalise if isinstance(normalise, str) else "")
    if by is None:
        by = f"means {_plain(normalise['mean'])} and deviations {_plain(normalise['std'])}"
    if not resized:
        return f"Its inputs are images of {size}, with each channel normalised by {by}."
    return (
        f"Images were resized bilinearly (with antialiasing) to {size}, and each channel was "
        f"normalised by {by}."
    )


def _initial(model: Mapping[str, Any]) -> Sentences:
    weights = model["weights"]
    if weights is None:
        yield "Training started from random weights."
    elif weights == "published":
        library = "timm" if registry.timm_name(model["architecture"]) else "torchvision"
        yield (
            f"Training started from the weights that {library} publishes for this architecture; "
            "the classifier head has random weights if its number of classes differs."
        )
    else:
        yield (
            f"Training started from the weights in the file {Path(weights).name} [to be added by "
            "the authors: source and data set of these weights]; the classifier head has random "
            "weights if its number of classes differs."
        )
    freeze = model["freeze"]
    if freeze == "all_but_head":
        yield "Only the classifier head, the last linear layer, was trained."
    elif freeze != "none":
        layers = [freeze] if isinstance(freeze, str) else freeze
        yield f"The weights of {listed(f'`{layer}`' for layer in layers)} were not trained."
    if model["freeze_batch_norm"]:
        yield "Statistics and weights of batch norms were kept."
    if model["batch_norm_momentum"] is not None:
        yield f"Batch norms used the momentum {model['batch_norm_momentum']:g}."


def _recipe(design: Design, facts: Facts) -> Sentences:
    training = design.study["training"]
    optimizer = training["optimizer"]
    details = [f"learning rate {training['learning_rate']:g}"]
    if optimizer in ("sgd", "muon"):
        nesterov = "Nesterov momentum" if training["nesterov"] else "momentum"
        details.append(f"{nesterov} {training['momentum']:g}")
    if training["head_learning_rate"] is not None:
        details.append(f"learning rate of the head {training['head_learning_rate']:g}")
    if training["bias_learning_rate"] is not None:
        details.append(f"learning rate of the biases {training['bias_learning_rate']:g}")
    decay = training["weight_decay"]
    details.append(f"weight decay {_plain(decay)}" if decay else "no weight decay")
    epochs = number(training["epochs"])
    ending = f"for {epochs} epoch{'' if training['epochs'] == 1 else 's'}"
    if training["early_stopping"]:
        ending = (
            "until the validation accuracy had not increased for "
            f"{number(training['early_stopping'])} epochs, or for {epochs} epochs"
        )
    images = facts.images["train"]
    if training["steps_per_epoch"]:
        steps = f"{training['steps_per_epoch']:,} steps per epoch"
    else:
        size = training["batch_size"]
        steps = (
            f"batches of {size:,} images ({-(-images // size):,} steps per epoch without copies)"
        )
    yield (
        f"Each network was trained {ending} in {steps} with {NAMES[optimizer]}"
        f"{cite(OPTIMIZERS[optimizer])} ({listed(details)})."
    )
    yield _schedule(training)
    loss = (
        "the cross-entropy"
        if training["loss"] == "cross_entropy"
        else "the binary cross-entropy of each class, averaged over classes"
    )
    if training["label_smoothing"]:
        loss += f" with label smoothing {training['label_smoothing']:g}{cite(LABEL_SMOOTHING)}"
    if training["class_weights"]:
        loss += ", with classes weighted inversely to their number of images"
    yield f"The loss is {loss}."
    if training["gradient_clip"] is not None:
        yield f"Gradients were scaled to an L2 norm of at most {training['gradient_clip']:g}."
    if training["ema"] is not None:
        yield (
            "The weights that were evaluated and kept are an exponential moving average of those "
            f"in training (decay {training['ema']:g}){cite(MOVING_AVERAGE)}."
        )
    if training["recalibrate_batch_norm"]:
        yield (
            "After each epoch the statistics of batch norms were computed anew from "
            f"{training['recalibrate_batch_norm']} training batches."
        )
    if training["sampling"] == "balanced":
        yield (
            "In every epoch as many images as the training set has were drawn anew, equally many "
            f"of each class{cite(BALANCED_SAMPLING)}: images of small classes were repeated."
        )
    elif training["shuffle"] == "once":
        yield "The order of the training images was drawn once and is the same in every epoch."
    else:
        yield "The order of the training images was drawn anew in every epoch."
    if training["keep"] == "best":
        yield (
            "The weights of the epoch with the highest validation accuracy were kept, the first of "
            "equals."
        )
    else:
        yield "The weights of the last epoch were kept; the validation images chose nothing."
    precision = PRECISIONS[training["precision"]]
    if precision == "float32":
        yield "Training and maps used float32 arithmetic."
    else:
        yield f"Training used {precision} arithmetic, maps float32."


def _schedule(training: Mapping[str, Any]) -> str:
    name, warmup = training["schedule"], training["warmup"]
    text = {
        "constant": "The learning rate was constant",
        "linear": "The learning rate fell linearly to zero",
        "cosine": "The learning rate fell to zero along half a cosine",
        "one_cycle": (
            "The learning rate rose from 1/25 of its value and fell to 1/250,000 of it, along "
            "half a cosine each"
        ),
        "steps": (
            f"The learning rate was multiplied by {training['decay']:g} after "
            f"{listed(f'{epoch:g}' for epoch in training['milestones'])} epochs"
        ),
    }[name]
    if name == "one_cycle":
        rise = "30 % of the epochs" if warmup is None else f"{warmup:g} epochs"
        return f"{text}; it rose for {rise}{cite(SCHEDULES[name])}."
    before = f" after a linear warm-up of {warmup:g} epochs" if warmup else ""
    return f"{text}{before}{cite(SCHEDULES[name])}."


# ---- Augmentations -------------------------------------------------------------------------------


def augmentations(design: Design) -> Sentences:
    """How training sets are augmented, and each augmentation with its parameters."""
    study = design.study
    if design.imported or not design.augmentations:
        return
    how = study["augmenting"]
    if how["mode"] == "in_place":
        share = how["probability"]
        chance = "every image" if share == 1 else f"each image, with probability {share:g},"
        yield (
            f"In every epoch {chance} was replaced by an augmented version of it, so that all "
            "networks were trained for the same number of steps."
        )
    else:
        copies = how["copies"]
        yield (
            f"The training set of an augmented network has each image and {number(copies)} "
            f"augmented cop{'y' if copies == 1 else 'ies'} of it, so that an epoch has "
            f"{times(1 + copies)} as many images as the baseline's."
        )
        drawn = (
            "anew in every epoch" if how["resample"] == "each_epoch" else "once, before training"
        )
        yield f"Augmented images were drawn {drawn}."
    if how["at"] == "native":
        yield "Images were augmented at their stored size, to which sizes in pixels refer."
    else:
        yield "Images were resized first; sizes in pixels refer to the input of the network."
    yield "The augmentations are:"
    yield BREAK
    yield "\n".join(
        f"- {augmentation(name, design.steps_of(name))}" for name in design.augmentations
    )
    if design.sweeps:
        yield BREAK
        for sweep in design.sweeps:
            unit = f" ({sweep.unit})" if sweep.unit else ""
            values = listed(_plain(value) for value in sweep.arms.values())
            yield (
                f"The parameter {sweep.parameter.replace('_', ' ')}{unit} of {title(sweep.base)} "
                f"was varied: {values}."
            )


def augmentation(name: str, steps: Sequence[Sequence[Any]]) -> str:
    """An augmentation with its steps, parameters and citations, as Markdown."""
    return f"**{title(name)}**: {'; then '.join(_step(*step) for step in steps)}."


def _step(used: str, parameters: Mapping[str, Any]) -> str:
    if user_code.is_reference(used):
        given = f" ({settings(parameters)})" if parameters else ""
        return f"`{used}`, a function of the study{given}"
    if used in LIBRARIES:
        others = {key: value for key, value in parameters.items() if key != "name"}
        given = f" ({settings(others)})" if others else ""
        return f"{parameters['name']} of {used}{given}{cite(LIBRARIES[used])}"
    if used == "cutmix_mixed":
        used, parameters = "cutmix", {**parameters, "labels": "mixed"}
    entry = registry.AUGMENTATIONS[used]
    reference = entry.reference
    if used == "horizontal_flip" and not parameters.get("alternate"):
        reference = ""  # the reference is that of alternating flips
    # Parameters at their default that were added later are not in a study.
    values = {key: parameters.get(key, about.default) for key, about in entry.parameters.items()}
    if values.get("alternate"):
        del values["probability"]
    if values.get("border") == "reflect":
        del values["fill"]
    parts = [_parameter(key, value, entry.parameters[key]) for key, value in values.items()]
    given = f" ({'; '.join(filter(None, parts))})" if any(parts) else ""
    return f"{_about(entry.about)}{given}{cite(reference)}"


def _parameter(key: str, value: Any, known: registry.Parameter) -> str:
    """A parameter in words: largest rotation 15 degrees; "" if it has no effect."""
    about, text = _about(known.about).replace(" (RGB only)", ""), _plain(value)
    if key == "labels":
        return LABELS[value]
    if value is False or (known.later and value == known.default):
        return ""
    if value is None:
        return about.partition("null: ")[2]
    if value is True:
        return about.split(";")[0].removeprefix("true: ")
    if "this" in about:
        return f"{key} {about.replace('this', text)}"
    if "Beta(alpha, alpha)" in about:
        return about.replace("alpha", text)
    words = re.sub(r" \(0 to 255\)|; .*|^range of (the )?|, odd", "", about).split(", ", 1)
    if "`" in about or "=" in about:
        return f"{key.replace('_', ' ')} {text}"
    if isinstance(value, str):
        return f"{words[0]}: {text}"
    name = f"{key} {words[0]}" if words[0] == "shift" else words[0]
    if len(words) == 1:
        return f"{name} {text}"
    return f"{name} {text} {words[1] if known.unit else f'({words[1]})'}"


def _about(about: str) -> str:
    """The description of an entry without its citation, which follows, and its default."""
    plain = re.sub(r" \((?:[A-Z][^()]*\d{4}|thesis)\)", "", about)
    return plain.replace("; by default the label does not change", "")


def settings(values: Mapping[str, Any]) -> str:
    """Parameters with their values: sigma 4, mode reflect."""
    return ", ".join(f"{key.replace('_', ' ')} {_plain(value)}" for key, value in values.items())


def _plain(value: Any) -> str:
    """A value as text: 0.5 to 1, yes, bilinear."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "default"
    if isinstance(value, list | tuple):
        if len(value) == 2 and all(isinstance(part, int | float) for part in value):
            return f"{_plain(value[0])} to {_plain(value[1])}"
        return "[" + ", ".join(map(_plain, value)) + "]"
    if isinstance(value, Mapping):
        return f"({settings(value)})"
    if isinstance(value, float):
        return re.sub(r"e([+-])0+", r"e\1", f"{value:.4g}")
    return str(value).replace("_", " ")


# ---- Seeds ---------------------------------------------------------------------------------------


def seeds(design: Design) -> Sentences:
    """Which networks there are, what each seed drives, and which are compared."""
    study = design.study
    if design.imported:
        paired = "that share a seed" if design.paired else "that are independent of each other"
        yield f"Networks of different arms are taken as networks {paired}."
    else:
        yield from _own_seeds(design)
    yield (
        {
            "one": "The maps of every augmented network are compared with those of the first "
            "baseline.",
            "paired": (
                "The maps of every augmented network are compared with those of the baseline of "
                "the same seed."
            ),
            "all": (
                "The maps of every augmented network are compared with those of all baselines with "
                "which it shares no seed."
            ),
            "disjoint": (
                "Each augmentation has baselines of its own, with which the maps of its networks "
                "are compared, so that no two augmentations share a baseline."
            ),
            "none": "The maps of augmentations are compared with each other, not with a baseline.",
        }[study["reference"]]
        if design.augmentations
        else ""
    )


def _own_seeds(design: Design) -> Sentences:
    study = design.study
    drives = listed(STREAMS[stream] for stream in STREAMS if stream in study["vary"])
    several = f"{number(len(design.seeds))} network{'' if len(design.seeds) == 1 else 's'}"
    if design.augmentations:
        yield (
            f"{several[0].upper()}{several[1:]} {'was' if len(design.seeds) == 1 else 'were'} "
            f"trained with each of {number(len(design.augmentations))} augmentation"
            f"{'' if len(design.augmentations) == 1 else 's'} "
            f"(seed{'' if len(design.seeds) == 1 else 's'} {listed(map(str, design.seeds))}). A "
            f"seed drives {drives}."
        )
    numbers = [seed for _, seed in design.baselines]
    yield (
        f"{number(len(numbers)).capitalize()} baseline{'' if len(numbers) == 1 else 's'} "
        f"{be(len(numbers))} trained without augmentation "
        f"(seed{'' if len(numbers) == 1 else 's'} {listed(map(str, numbers))})."
    )
    further = study.get("controls", {}).get("baselines")
    if further and (set(further["vary"]) != set(study["vary"]) - {"augmentation"}):
        vary = listed(STREAMS[stream] for stream in STREAMS if stream in further["vary"])
        yield f"The seeds of the further baselines drive {vary}."
    matched = {
        "duplicated_originals": (
            "on a set that holds each original as often as an augmented set holds it and its copies"
        ),
        "longer_training": "without augmentation for as many steps as augmented networks",
    }
    for name in design.matched:
        own = [str(seed) for _, seed in design.models_of(name)]
        yield (
            f"As a step-matched control, {number(len(own))} network"
            f"{'' if len(own) == 1 else 's'} {be(len(own))} trained {matched[name]} "
            f"({title(name)}; seed{'' if len(own) == 1 else 's'} {listed(own)})."
        )
    others = {
        "for the validity of the metrics": sum(
            design.changes[name].trained for name, _ in design.changed_models
        ),
        "on permuted labels": 1 if study.get("sanity", {}).get("permuted_labels") else 0,
    }
    total = len(design.models) + sum(others.values())
    among = listed(f"{number(count)} {what}" for what, count in others.items() if count)
    including = f", including {among}" if among else ""
    without = ", without those of the hybrid stage" if "hybrid" in study else ""
    yield (
        f"In total, {total:,} network{'' if total == 1 else 's'} {be(total)} trained"
        f"{including}{without}."
    )


# ---- Maps ----------------------------------------------------------------------------------------


def maps(design: Design, facts: Facts) -> Sentences:
    """The maps of every variant."""
    study = design.study
    size = sizes.text(study["model"]["input_size"])
    if "maps" in study:
        only = next(iter(facts.maps.values()), None)
        at = f" of {only.height} × {only.width} values" if only else ""
        yield (
            f"Maps{at} were made outside of this study [to be added by the authors: method, layer, "
            "class explained]."
        )
    else:
        others = []
        for folder, variant in design.variants.items():
            method = registry.entry(registry.CAM_METHODS, variant.method)
            name = user_code.short(method.title)
            made = f"{name}{cite(method.reference)}{_layer(method, facts, folder)}"
            if folder:
                label = folder.removeprefix("variants/").rstrip("/").replace("_", " ")
                others.append(f"{made}, explaining {CLASSES[variant.class_policy]} ({label})")
                continue
            yield (
                f"For every test image and network we computed a map with {made}. A map explains "
                f"{CLASSES[variant.class_policy]}."
            )
        if others:
            yield f"All measurements were repeated with other maps: {'; '.join(others)}."
        if study["cam"]["fold_batch_norm"]:
            yield (
                "Batch norms, if the network has any, were folded into the convolutions before "
                "them."
            )
    native = study["similarity"]["resolution"] == "native"
    to = "" if native else f", resized bilinearly to {size}"
    yield (
        "Maps are compared as they are usually shown: negative values are set to zero, and maps "
        f"are scaled to [0, 1]{to}."
    )


def _layer(method: registry.Method, facts: Facts, folder: str) -> str:
    known = facts.maps.get(folder)
    if known is None:
        return ""
    at = f"{known.height} × {known.width} values"
    return f" at the layer `{known.layer}` ({at})" if method.of == "layer" else f" ({at})"


# ---- Metrics -------------------------------------------------------------------------------------


def metrics(design: Design) -> Sentences:
    """The metrics of pairs of maps."""
    if not design.compares and not {"controls", "hybrid", "occlusion"} & design.study.keys():
        return
    yield "Two maps of an image are compared by the following metrics:"
    yield BREAK
    lines = []
    families: dict[str, list[str]] = {}
    for name in design.metrics:
        share = registry.overlap_share(name)
        family = name.replace(f"_{share:g}", "") if share is not None else name
        families.setdefault(family, []).append(name)
    for family, names in families.items():
        entry = registry.metric(names[0])
        words = _metric(family, names, entry)
        lines.append(f"- {words[0].upper()}{words[1:]}{cite(entry.reference)}.")
    yield "\n".join(lines)
    yield BREAK
    if any(registry.plain(name) in ("kl", "class_kld") for name in design.metrics):
        yield (
            "Kullback-Leibler divergences are Σ Q log(ε + Q/(ε + P)) with "
            f"ε = {design.study['similarity']['epsilon']:.2g}, P the reference and Q the augmented "
            "network."
        )
    yield "Correlations of constant maps are undefined; undefined values are left out and counted."


def _metric(family: str, names: Sequence[str], entry: registry.Metric) -> str:
    """Label and definition of a metric, or of overlap rates of several shares."""
    native = " (at the resolution of the layer)" if registry.is_native(family) else ""
    if definition := OVERLAPS.get(registry.plain(family)):
        shares = [f"{registry.overlap_share(name):g} %" for name in names]
        return definition.format(shares=listed(shares, "or")) + native
    label = in_sentence(entry.label or family)
    if user_code.is_reference(entry.function):
        return f"{label}: `{entry.function}`, a function of the study"
    about = _about(entry.about).split(" (named")[0]
    same = about.lower().startswith(label.split(" (")[0].lower())
    return f"{about if same else f'{label}: {about}'}{native}"


# ---- Statistics ----------------------------------------------------------------------------------


def statistical(design: Design) -> Sentences:
    """Estimates, intervals and tests, as far as the study has them (docs/evidence.md)."""
    level, alpha = f"{100 * statistics.LEVEL:g} %", f"{statistics.ALPHA:g}"
    if design.has_floor or (design.study["reference"] == "none" and design.arms):
        yield (
            "Two networks trained without augmentation have different maps, too. Distances are "
            "therefore compared with this retraining variability. The distance of two maps is one "
            "minus their similarity, or the metric itself if it is a distance. AA, AB and BB are "
            "its means over test images and over pairs of different networks that share no seed, "
            "where "
            + (
                "A and B are networks of two augmentations."
                if design.study["reference"] == "none"
                else "A is a network of an arm and B one of the baseline. BB is the noise floor."
                if design.imported
                else "A is a network trained with an augmentation and B a reference network "
                "trained without. BB is the noise floor."
            )
        )
        yield BREAK
        yield (
            "The net distance is N = AB − BB, the tightening T = (BB − AA)/2, and the map shift "
            f"E = N + T = AB − (AA + BB)/2, half the energy distance{cite('szekely2013')}. The "
            "noise-corrected similarity is c = s_AB/√(s_AA s_BB), with the mean similarities s"
            f"{cite('spearman1904')}."
        )
        yield BREAK
        yield (
            "Tests permute the labels of networks, never of images: all relabellings if there "
            f"are at most {statistics.EXACT:,}, otherwise {statistics.SAMPLED:,} random ones and "
            f"the observed one{cite('phipson2010')}. "
            "The map shift is tested one-sided (E > 0), the tightening two-sided. "
            f"A test whose smallest possible p exceeds {alpha} is not made. p is corrected by "
            f"Holm's method{cite('holm1979')} over the augmentations of a metric"
            + ("; step-matched controls are a family of their own." if design.matched else ".")
        )
        if design.paired:
            yield (
                "Networks of two arms share seeds; if there are enough of them, labels are swapped "
                "within seeds instead."
            )
        yield BREAK
        yield (
            f"Intervals of T ({level}) and of E and c "
            f"({100 * (1 - 2 * statistics.ALPHA):g} %, because the test is one-sided) invert these "
            f"tests. The {level} interval of N is t·SE over networks and images, with the degrees "
            f"of freedom of Satterthwaite{cite('satterthwaite1946')}. The probability that a map "
            "of an augmented network is farther from a reference map than another reference map "
            f"is, is estimated as the measure of stochastic superiority A{cite('vargha2000')}."
        )
        yield (
            "Each comparison is repeated for the images for which both networks predict the same "
            "class."
            if design.predicts
            else ""
        )
        if design.has_floor and design.matched:
            yield (
                "Augmentations are compared with step-matched networks as well as with baselines, "
                "so that the effect of more training steps is not part of the map shift."
            )
    if design.summarised and "controls" in design.study:
        yield BREAK
        yield (
            "The map shift between networks of equal accuracy is the coefficient of pairs of "
            "different arms in a least-squares model of the distances of all pairs of networks, "
            "with an effect of every network, the squared difference of their test accuracies, "
            "and the signed difference in pairs of different arms: an analysis of covariance in "
            f"the space of the features of the similarity{cite('mcardle2001')}. It is tested "
            "one-sided by permutation of networks in the residuals of the model without "
            f"arms{cite('freedman1983', 'dekker2007')}."
        )
    if design.epochs:
        yield (
            "The weights after "
            f"{listed(map(str, design.epochs.values()))} epochs were kept as well, and their maps "
            "compared with those of reference networks after as many epochs, with the noise floor "
            "of the epoch; and augmented networks were compared with reference networks after the "
            "epoch of the closest validation accuracy, at most half a percentage point away."
        )
    if design.has_floor and design.predicts:
        yield BREAK
        yield (
            "The change of test accuracy is the difference of the means over networks; its "
            f"{level} interval combines the variances over networks and over images with the "
            f"asymmetry of a two-way bootstrap of both{cite('owen2007', 'hesterberg2015')} "
            f"({statistics.DRAWS:,} resamples). It is tested two-sided by permutation of networks, "
            f"with Holm's correction{cite('holm1979')}."
        )
    if design.compares:
        yield BREAK
        yield (
            "The value of an image is the mean over networks. Augmentations are correlated with "
            "each other over test images (Pearson's r). "
            + (
                f"Correlations of a metric with accuracy have Fisher's {level} intervals."
                if design.predicts
                else ""
            )
        )
    if design.clusters and "controls" in design.study:
        yield (
            "Augmentations are clustered by average linkage of 1 − r; the support of a cluster is "
            "the share of 1,000 bootstrap resamples of images and seeds in which it appears."
        )
    if design.study.get("controls", {}).get("uninformative"):
        yield (
            "As lower references, maps are compared with uninformative maps: the network's map of "
            "another image, a Gaussian in the centre, the edges of the image, and the map of the "
            f"untrained network{cite('adebayo2018')}."
        )
    yield f"The significance level is {alpha}." if design.has_floor else ""


# ---- Stages --------------------------------------------------------------------------------------


def _known_changes(stage: Mapping[str, Any], design: Design) -> str:
    """Networks with a known change, and how metrics are tested with them."""
    kinds = {
        "label_noise": "a share of the training labels replaced by those of other classes",
        "training_images": "a share of the training images, for as many steps",
        "cue_share": "the spurious cue in another share of the training images of its class",
        "untrained_layers": "the last layers given new random weights after the training",
    }
    made = [
        f"{text} ({listed(f'{level:g}' for level in stage[kind])})"
        for kind, text in kinds.items()
        if stage[kind]
    ]
    if design.sweeps:
        made.append("an augmentation at several strengths")
    return (
        f"Validity of the metrics: groups of {len(stage['seeds'])} networks with a known change "
        "were compared with the baselines, and a group that differs by its seeds alone: "
        f"{listed(made)}. As in the group separation test of ReSi{cite('klabunde2025')}, AUPRC is "
        "the average precision with which pairs of networks within a group are ranked as more "
        "similar than pairs across groups, averaged over both groups, with bootstrap intervals "
        "over networks."
    )


def stages(design: Design, facts: Facts) -> Sentences:
    """Optional stages of the study."""
    study = design.study
    level = f"{100 * statistics.LEVEL:g} %"
    if "localisation" in study:
        yield (
            "Localisation: maps are compared with the masks of "
            f"{listed(facts.regions) or 'regions'} by the pointing "
            f"game{cite('zhang2018pointing')}, the share of the map's sum inside the "
            f"mask{cite('wang2020')}, the intersection over union with as many of the highest "
            "pixels, and the average precision of the pixels. Chance levels are those of a map "
            "that does not depend on the mask, and of the network's map of another image. "
            f"Differences from the baseline have {level} intervals over networks and images."
        )
        if cues := study["localisation"]["spurious"]:
            named = [cues] if isinstance(cues, str) else cues
            yield (
                f"Reliance on the spurious region{'' if len(named) == 1 else 's'} "
                f"({listed(named)}) is measured by accuracy and map energy of test images with and "
                "without it, and by the share of images of other classes that are classified as "
                "its class with and without it" + (f"{cite('li2023')}." if len(named) > 1 else ".")
            )
        yield BREAK
    if mosaics := study.get("mosaics"):
        yield (
            f"Mosaics: maps of {mosaics['mosaics']:,} mosaics of {mosaics['cells']} × "
            f"{mosaics['cells']} test images of each kind were computed, whose cells of the "
            f"explained class are known: one cell (grid pointing game{cite('bohle2021')}) or half "
            f"of them (Focus{cite('arias2022')}). Images were drawn from all test images (seed "
            f"{mosaics['seed']})."
        )
        yield BREAK
    if sane := study.get("sanity"):
        smooth = (
            f", also of the mean maps of {sane['samples']} noisy copies of each image (sMPRT; "
            f"noise of {100 * sane['noise']:g} % of the range of values{cite('hedstrom2024')})"
            if sane["samples"]
            else ""
        )
        permuted = (
            f", and of a network trained for {sane['permuted_labels']} epochs on permuted labels"
            f"{cite('adebayo2018')}"
            if sane["permuted_labels"]
            else ""
        )
        yield (
            f"Sanity checks: for {_sample(sane, facts)} test images each network's maps were "
            "compared with those of the same network after its layers were given random weights, "
            f"one after another from the classifier down{cite('adebayo2018')}{smooth}; with the "
            f"maps of another class, drawn at random{cite('sixt2020')}{permuted}. The entropy of "
            f"the histogram of the map ({sane['bins']} bins) was compared between the trained "
            f"network and that with random weights only{cite('hedstrom2024')}. The reference is "
            f"the map of another image (seed {sane['seed']})."
        )
        yield BREAK
    if deletion := study.get("single_deletion"):
        rate = deletion["learning_rate"] or study["training"]["learning_rate"] / 10
        yield (
            f"Single deletion: each network was fine-tuned for {deletion['epochs']} epochs "
            f"(learning rate {rate:g}) on the training images, of which half, drawn anew in every "
            f"epoch, had one cell of a grid of {deletion['cells']} × {deletion['cells']} replaced "
            f"by the mean colour. For {_sample(deletion, facts)} test images (seed "
            f"{deletion['seed']}) the sums of the map of the true class in the cells were "
            "compared, by Spearman's correlation, with the falls of the score of this class "
            f"without each cell (in-domain single deletion score{cite('hesse2024')})."
        )
        yield BREAK
    if known := study.get("known_changes"):
        yield _known_changes(known, design)
        yield BREAK
    if robust := study.get("robustness"):
        largest = max(sizes.pair(study["model"]["input_size"]))
        yield (
            f"Corruptions: accuracy was measured on {_sample(robust, facts)} test images (seed "
            f"{robust['seed']}) with {len(robust['corruptions'])} common "
            f"corruptions{cite('hendrycks2019')} at severities "
            f"{listed(map(str, robust['severities']))}, with the parameters of "
            f"{'CIFAR-10-C' if largest <= 84 else 'ImageNet-C'}."
        )
        yield (
            "Equivariance: the network's map of each of these images after a transform "
            f"({listed(title(name).lower() for name in design.test_transforms)}) was compared "
            "with its map of the image after the same transform, over the pixels from inside of "
            f"the image; both explain the same class{cite('tetkova2023')}."
        )
        yield BREAK
    if features := study.get("representations"):
        yield (
            f"Representations: for {_sample(features, facts)} test images (seed "
            f"{features['seed']}) the features of two networks, at the target layer and before "
            "the classifier, were compared by debiased linear CKA"
            f"{cite('kornblith2019', 'song2012')} and by the overlap of the "
            f"{features['neighbours']} nearest neighbours{cite('huh2024')}, and their "
            f"predictions by the Jensen-Shannon divergence{cite('lin1991')} and by whether "
            f"the classes differ{cite('fard2016')}, each with its own noise floor. Calibration is "
            f"measured by the expected calibration error{cite('guo2017')}, the Brier score and "
            "the log loss."
        )
        yield BREAK
    if faithful := study.get("faithfulness"):
        yield (
            f"Faithfulness: for {_sample(faithful, facts)} test images we measured deletion and "
            f"insertion curves in {faithful['steps']} steps{cite('petsiuk2018')} and ROAD for "
            f"{listed(f'{100 * share:g} %' for share in faithful['road'])} of the pixels"
            f"{cite('rong2022')}, each compared with that of a random map (seed "
            f"{faithful['seed']})."
        )
        yield BREAK
    if exchanged := study.get("map_exchange"):
        yield (
            f"Exchanged maps: for {_sample(exchanged, facts)} test images (seed "
            f"{exchanged['seed']}) each network and a baseline were measured by deletion and "
            f"insertion in {exchanged['steps']} steps{cite('petsiuk2018')}, each with both maps, "
            "if these explain the same class; the difference of their scores is the sum of the "
            "main effects of network and of map in this 2 × 2 design. Networks with and without "
            f"mixed images have been compared for the same reason{cite('won2023')}."
        )
        yield BREAK
    if occluded := study.get("occlusion"):
        yield (
            "Occlusion: a square of "
            f"{listed(map(str, occluded['sizes']), 'or')} pixels of grey level {occluded['fill']} "
            "at a random position occludes each test image; accuracy and maps are compared with "
            "those of the whole image."
        )
        yield BREAK
    if hybrid := study.get("hybrid"):
        method = registry.entry(registry.CAM_METHODS, hybrid["method"])
        yield (
            f"Hybrid: a support vector machine{cite('cortes1995', SOFTWARE['scikit-learn'])} "
            "replaces the last linear layer of a second network, "
            f"{architecture(hybrid['network'])}; its maps ({user_code.short(method.title)}"
            f"{cite(method.reference)}) explain its decision value and are compared with the "
            "baseline's."
        )
        yield _svm(hybrid["svm"], facts)
        yield BREAK
    if masking := study.get("masking"):
        ((how, value),) = masking["keep"].items()
        kept = f"the top {value:g} %" if how == "top" else f"values from {value:g}"
        yield (
            f"Masking: support vector machines{cite('cortes1995', SOFTWARE['scikit-learn'])} were "
            f"fitted to pixels masked by the baseline's maps ({kept} kept), to all pixels, to "
            "pixels under masks of other images, and to the masks alone."
        )
        yield _svm(masking["svm"], facts)


def _sample(stage: Mapping[str, Any], facts: Facts) -> str:
    """Number of test images of a stage: all if there are fewer."""
    return f"{min(stage['images'], facts.images['test']):,}"


def _svm(svm: Mapping[str, Any], facts: Facts) -> str:
    # As in `svm.search`: fewer folds if a class has too few of the images that are searched.
    fitted = facts.images["train"] + facts.images["validation"]
    _, fewest = feasibility.searched(svm["search_images"], fitted, facts.smallest_class)
    folds = max(2, min(svm["folds"], fewest))
    c = listed((f"{value:g}" for value in svm["c"]), "or")
    return (
        f"Kernel ({listed(svm['kernels'], 'or')}) and penalty ({c}) were chosen by "
        f"{folds}-fold cross-validation."
    )


# ---- Computing -----------------------------------------------------------------------------------


def computing(design: Design, facts: Facts) -> Sentences:
    """Software with versions, hardware, hours and energy."""
    own = {name: cite(SOFTWARE[name]) for name in ("campare", "snakemake", "torch")}
    told = {name: f" {facts.versions[name]}" for name in facts.versions}
    used = [f"PyTorch{told.get('torch', '')}{own['torch']}"]
    methods = {variant.method for variant in design.variants.values()}
    if "maps" not in design.study:
        tv = any(
            name in registry.torchvision_classifiers()
            or (
                name in registry.ARCHITECTURES
                and registry.ARCHITECTURES[name].about.startswith("torchvision")
            )
            for name in design.architectures
        )
        if tv or design.study["data"]["name"] in ("mnist", "fashion_mnist", "cifar10"):
            used.append(f"torchvision{told.get('torchvision', '')}{cite(SOFTWARE['torchvision'])}")
        if any(registry.timm_name(name) for name in design.architectures):
            used.append(f"timm{cite(SOFTWARE['timm'])}")
        if (
            methods
            - {"gradcam", "cam", "input_gradient"}
            - {name for name in methods if user_code.is_reference(name)}
        ):
            used.append(f"pytorch-grad-cam{told.get('grad-cam', '')}{cite(SOFTWARE['grad-cam'])}")
    used.append(f"NumPy{told.get('numpy', '')}{cite(SOFTWARE['numpy'])}")
    used += [f"SciPy{cite(SOFTWARE['scipy'])}", f"pandas{cite(SOFTWARE['pandas'])}"]
    if design.study["data"]["name"] == "digits":
        used.append(f"scikit-learn{cite(SOFTWARE['scikit-learn'])}")
    used += [f"Matplotlib{cite(SOFTWARE['matplotlib'])}", f"seaborn{cite(SOFTWARE['seaborn'])}"]
    thesis = cite("dorneles2024", "dorneles2025")
    yield (
        f"The study was made with campare{own['campare']}, a Snakemake{own['snakemake']} workflow "
        f"that builds on the protocol of Dorneles et al.{thesis}, with {listed(used)}."
    )
    yield (
        "All random numbers derive from the seeds above; the number of threads of each job is "
        "fixed, because floating-point sums depend on it."
    )
    if not facts.usage:
        return
    yield BREAK
    yield from _hardware(design, facts)


def _hardware(design: Design, facts: Facts) -> Sentences:
    paper = design.study["paper"]
    threads = f"{number(facts.threads)} thread{'' if facts.threads == 1 else 's'} per job"
    where = {
        "networks were trained": facts.trained_on,
        "maps were made": facts.devices[0] if facts.devices else "",
    }
    named = {"cuda": "a GPU", "cpu": "CPUs", "mps": "Apple's MPS"}
    ran = [
        f"{what} on {named.get(device.split(':')[0], device)}"
        for what, device in where.items()
        if device and "unknown" not in device
    ]
    if ran:
        text = listed(ran)
        yield (
            f"{text[0].upper()}{text[1:]}, with {threads} [to be added by the authors: models of "
            "CPU and GPU]."
        )
    if not design.imported and "training" not in facts.usage:
        yield "The time of training is not recorded and not part of the following numbers."
    parts = [f"{kind} {hours(used.wall)}" for kind, used in facts.usage.items()]
    wall = sum(used.wall for used in facts.usage.values())
    cpu = sum(used.cpu for used in facts.usage.values())
    jobs = sum(used.jobs for used in facts.usage.values())
    yield (
        f"The {jobs:,} jobs of the study took {hours(wall)} in total if run one after another "
        f"({listed(parts)}), and {hours(cpu)} of CPU time, without interrupted attempts."
    )
    cores, gpus = energy(
        facts,
        paper["core_power"],
        paper["gpu_power"],
        comparing_gpu=design.study["similarity"]["device"] == "cuda",
    )
    text = f"{paper['core_power']:g} W per busy CPU core"
    if gpus:
        text += (
            f" and {paper['gpu_power']:g} W for a GPU during each job that runs a network (an "
            "upper bound if jobs shared a GPU)"
        )
    yield (
        f"At an assumed {text}, this is about {_energy(cores + gpus)} of electrical energy. "
        "Preliminary experiments are not included."
    )


# ---- Words ---------------------------------------------------------------------------------------


def hours(seconds: float) -> str:
    """A time as text: 35 seconds, 12 minutes, 3.1 hours."""
    if seconds < 60:
        return f"{_significant(seconds)} seconds"
    if seconds < 2 * 3600:
        return f"{_significant(seconds / 60)} minutes"
    return f"{_significant(seconds / 3600)} hours"


def _energy(kilowatt_hours: float) -> str:
    if kilowatt_hours < 0.1:
        return f"{_significant(1000 * kilowatt_hours)} Wh"
    return f"{_significant(kilowatt_hours)} kWh"


def _significant(value: float, digits: int = 2) -> str:
    """A number with two significant digits, without an exponent; whole numbers keep all digits."""
    if value == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):,.{max(decimals, 0)}f}"


def number(value: int) -> str:
    """A number in a sentence: in words up to twelve."""
    return NUMBERS[value] if 0 <= value < len(NUMBERS) else f"{value:,}"


def times(value: int) -> str:
    """A multiple in a sentence: twice, three times."""
    return "twice" if value == 2 else f"{number(value)} times"


def listed(items: Any, last: str = "and") -> str:
    """Items in a sentence: a, b and c."""
    every = list(items)
    return f" {last} ".join(filter(None, (", ".join(every[:-1]), *every[-1:])))


def be(count: int) -> str:
    """was or were."""
    return "was" if count == 1 else "were"


def arm(name: str) -> str:
    """The name of an arm in a sentence."""
    return "the baseline" if name == BASELINE else title(name)
