"""The design of a study: its models, which of them are compared, what each seed drives.

A model is named by (augmentation, seed). A seed drives streams of randomness: `init` (initial
weights), `order` (order of the training images), `subset` (choice of the training images) and
`augmentation`. Two models with the same seed in one stream are more alike than two models without,
so every comparison here states which pairs it takes.

>>> design = Design(config.complete(yaml.safe_load(open("config/config.yaml")), "config.yaml"))
>>> design.references_of(("affine", 1))
[('baseline', 11), ('baseline', 12), …]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import Any

from campare import imported, known_changes, recipes, registry, user_code
from campare.known_changes import Change

Model = tuple[str, int]
Pair = tuple[Model, Model]
BASELINE = "baseline"
# Most augmentations in figures with a panel, or images, for each.
MOST_SETS = 24
# Most arms whose map shift a single job measures; arms of each of several jobs.
UNDIVIDED, PART = 20, 10
# Which class a map explains → its name in figures.
CLASSES = {
    "predicted": "predicted class",
    "true": "true class",
    "baseline": "class predicted by the baseline",
}


@dataclass(frozen=True)
class Variant:
    """One way of making the maps of all models: CAM method, class explained, target layer.

    target_layer: dotted name; None: the last convolutional block.
    """

    method: str
    class_policy: str
    target_layer: str | None

    @property
    def title(self) -> str:
        """The variant in figures: Grad-CAM, predicted class, layer blocks.1."""
        method = registry.entry(registry.CAM_METHODS, self.method)
        parts = [user_code.short(method.title), CLASSES[self.class_policy]]
        if method.of == "layer":
            layer = self.target_layer
            parts.append(f"layer {layer}" if layer else "last convolutional block")
        return ", ".join(parts)


@dataclass(frozen=True)
class Sweep:
    """An augmentation at several strengths.

    base: the augmentation; parameter: what is varied; arms: name of each augmentation of the study
    that belongs to it → value of the parameter, in the order of the config; unit: of the parameter,
    "" if it has none or none is known.
    """

    base: str
    parameter: str
    arms: Mapping[str, Any]
    unit: str = ""


@dataclass(frozen=True)
class Design:
    """The models and comparisons of a study, from its complete config (`config.complete`)."""

    study: Mapping[str, Any]

    # ---- Models --------------------------------------------------------------------------------

    @cached_property
    def augmentations(self) -> list[str]:
        """Names of the augmentations, in the order of the config, without the baseline."""
        return list(self.study["augmentations"])

    @cached_property
    def sweeps(self) -> list[Sweep]:
        """The sweeps of the study; their arms are among `augmentations`."""
        return [
            Sweep(base, parameter, dict(arms), self._unit(next(iter(arms)), parameter))
            for base, parameters in self.study.get("sweep", {}).items()
            for parameter, arms in parameters.items()
        ]

    def _unit(self, augmentation: str, parameter: str) -> str:
        """The unit of a parameter of an augmentation with one step."""
        ((used, _),) = self.study["augmentations"][augmentation]
        entry = registry.AUGMENTATIONS.get(used)
        return entry.parameters[parameter].unit if entry else ""

    @cached_property
    def seeds(self) -> list[int]:
        """Seeds of the augmented models; of imported ones the places in the longest list."""
        return list(self.study["seeds"])

    @cached_property
    def imported(self) -> dict[Model, str]:
        """Model → its file, if models were trained, or maps made, elsewhere; the baseline first.

        Models that count as independent have numbers of their own: place in the list, plus 100 in
        the first arm after the baseline, 200 in the second. With `reference: paired` the number is
        the place, and models of the same number count as models of one seed.
        """
        files = imported.files_of(self.study)
        most = max(map(len, files.values()), default=0)
        step = 0 if self.paired else max(100, 10 ** len(str(most)))
        return {
            (arm, step * number + place): file
            for number, (arm, paths) in enumerate(files.items())
            for place, file in enumerate(paths, 1)
        }

    def seeds_of(self, augmentation: str) -> list[int]:
        """Seeds of the models of an augmentation: `seeds`, or the numbers of imported models."""
        numbers = [number for name, number in self.imported if name == augmentation]
        return numbers or self.seeds

    @property
    def first_seed(self) -> int:
        """The seed that is shown if there is room for one model of each augmentation only."""
        return self.seeds[0]

    @property
    def paired(self) -> bool:
        """Whether an augmented model is compared with the baseline of its own seed."""
        return bool(self.study["reference"] == "paired")

    @cached_property
    def augmented(self) -> list[Model]:
        """The models of all augmentations and seeds."""
        return [(name, seed) for name in self.augmentations for seed in self.seeds_of(name)]

    @cached_property
    def references(self) -> list[Model]:
        """The baselines of the seeds: one per seed if models are paired, else one."""
        return list(dict.fromkeys(self.reference_of(seed) for seed in self.seeds))

    @cached_property
    def baselines(self) -> list[Model]:
        """`references`, then those of `controls.baselines`; or all that are imported."""
        if self.imported:
            return [model for model in self.imported if model[0] == BASELINE]
        return [*self.references, *((BASELINE, seed) for seed in self._further["seeds"])]

    @cached_property
    def matched(self) -> list[str]:
        """Names of the step-matched training sets of the study."""
        return [name for name in registry.MATCHED if self._controls.get(name)]

    @cached_property
    def matched_seeds(self) -> list[int]:
        """Seeds of the step-matched models.

        A single seed if seeds drive the augmentation only, since all models would be the same.
        """
        seeds = self._controls.get("matched_seeds") or self.seeds
        return list(seeds if set(self.study["vary"]) - {"augmentation"} else seeds[:1])

    @cached_property
    def matched_models(self) -> list[Model]:
        """The step-matched models."""
        return [(name, seed) for name in self.matched for seed in self.matched_seeds]

    @cached_property
    def models(self) -> list[Model]:
        """All models that are trained or imported."""
        return [*self.baselines, *self.augmented, *self.matched_models]

    @cached_property
    def examples(self) -> list[Model]:
        """The first baseline and one model of each augmentation, for figures with little room."""
        firsts = ((name, self.seeds_of(name)[0]) for name in self.augmentations)
        return [*self.baselines[:1], *firsts]

    @cached_property
    def changes(self) -> dict[str, Change]:
        """Arm → its known change; arms of the stage `known_changes`, which are not in `models`."""
        return {change.name: change for change in known_changes.changes(self.study)}

    @cached_property
    def changed_models(self) -> list[Model]:
        """The models of the stage `known_changes`."""
        seeds = self.study.get("known_changes", {}).get("seeds", [])
        return [(name, seed) for name in self.changes for seed in seeds]

    def models_of(self, augmentation: str) -> list[Model]:
        """The models of an augmentation, the baseline, a step-matched set or a known change."""
        every = [*self.models, *self.changed_models]
        return [model for model in every if model[0] == augmentation]

    @cached_property
    def predicts(self) -> bool:
        """Whether predictions are known: not those of imported maps without logits."""
        return all(arm["logits"] for arm in self.study.get("maps", {}).values())

    # ---- Seeds ---------------------------------------------------------------------------------

    def streams(self, model: Model) -> set[str]:
        """The streams of randomness that the seed of a model drives."""
        if self._is_further(model):
            return set(self._further["vary"])
        augmentation, _ = model
        vary = set(self.study["vary"])
        return vary if augmentation in self.augmentations else vary - {"augmentation"}

    def independent(self, pair: Pair) -> bool:
        """Whether two models have different seeds in every stream that seeds of both decide.

        A shared stream makes the maps of two models more alike.
        """
        first, second = map(self._stream_seeds, pair)
        return all(first[stream] != second[stream] for stream in first.keys() & second.keys())

    def _stream_seeds(self, model: Model) -> dict[str, int]:
        """The seed of each stream of randomness of a model that a seed of the study decides.

        A further baseline has the first seed in the streams that its own seed does not drive.
        """
        seeds = dict.fromkeys(self.streams(model), model[1])
        if self._is_further(model):
            return dict.fromkeys(self.streams((BASELINE, self.first_seed)), self.first_seed) | seeds
        return seeds

    def _differ(self, pair: Pair) -> bool:
        """Whether two models differ in every stream that both their own seeds drive.

        Unlike `independent` it allows a further baseline to have the first seed, as other models
        do, in the streams that `controls.baselines.vary` leaves out.
        """
        (_, first), (_, second) = pair
        return first != second or not self.streams(pair[0]) & self.streams(pair[1])

    def _is_further(self, model: Model) -> bool:
        """Whether a model is a further baseline, or differs from one by a known change."""
        augmentation, seed = model
        if augmentation in self.changes:
            return bool(self._further["seeds"])
        return augmentation == BASELINE and seed in self._further["seeds"]

    @property
    def one_split(self) -> bool:
        """Whether all models are trained on the same images."""
        return "subset" not in self.study["vary"]

    # ---- Which models are compared ---------------------------------------------------------------

    def reference_of(self, seed: int) -> Model:
        """The baseline of a seed: its own if models are paired, else that of the first seed."""
        has_baseline = self.paired and seed in self.seeds
        return BASELINE, seed if has_baseline else self.first_seed

    def references_of(self, model: Model) -> list[Model]:
        """Baselines that a model is compared with, by the policy `reference`.

        "one", "paired": the baseline of its seed. "all": all baselines that are independent of the
        model. "disjoint": those that are assigned to its augmentation, and to no other, and are
        independent of the model.
        """
        augmentation, seed = model
        if self.study["reference"] not in ("all", "disjoint"):
            return [self.reference_of(seed)]
        assigned = self.baselines
        if self.study["reference"] == "disjoint" and augmentation in self.augmentations:
            number = len(self.augmentations)
            assigned = self.baselines[1 + self.augmentations.index(augmentation) :: number]
        return [baseline for baseline in assigned if self.independent((baseline, model))]

    @cached_property
    def partners(self) -> dict[Model, Model]:
        """Model → the baseline with which it exchanges maps (stage `map_exchange`).

        The baseline of its seed if models are paired; else one of the independent baselines, each
        used about equally often; if there are none, `reference_of`. Of the baselines, the first
        has the second, the third the fourth, and so on, so that no two pairs share a network.
        """
        pairs = dict(zip(self.baselines[::2], self.baselines[1::2], strict=False))
        for name in dict.fromkeys(name for name, _ in self.models if name != BASELINE):
            for place, model in enumerate(self.models_of(name), start=1):
                start = place % len(self.baselines)
                others = [*self.baselines[start:], *self.baselines[:start]]
                independent = (b for b in others if self.independent((b, model)))
                own = self.reference_of(model[1])
                pairs[model] = own if self.paired else next(independent, own)
        return pairs

    @cached_property
    def most_references(self) -> int:
        """The largest number of baselines that an augmented model is compared with."""
        return max((len(self.references_of(model)) for model in self.augmented), default=1)

    @property
    def compares(self) -> bool:
        """Whether the maps of augmented models are compared with a baseline's."""
        return bool(self.study["reference"] != "none" and self.augmented)

    @cached_property
    def has_floor(self) -> bool:
        """Whether augmentations are compared with a noise floor."""
        return bool(
            self.compares
            and "controls" in self.study
            and (len(self.baselines) > 1 or self.matched_models)
        )

    @cached_property
    def clusters(self) -> bool:
        """Whether there are two or more augmentations to be clustered by their similarities.

        Clusters need as many models of each.
        """
        numbers = {len(self.seeds_of(name)) for name in self.augmentations}
        return self.compares and len(self.augmentations) > 1 and len(numbers) == 1

    def pairs_of(self, augmentation: str) -> list[Pair]:
        """The pairs of its models, and of its models with baselines and step-matched models.

        With `reference: none` also its models with those of the augmentations that follow in the
        config, so that each pair of models is in the list of one augmentation. No pair shares a
        stream that the seeds of both models drive. Two models may share the first seed in a stream
        that `controls.baselines.vary` leaves out, as all further baselines do: see
        `pairs_like_floor` and `incomparable`.
        """
        models = self.models_of(augmentation)
        pairs: list[Pair] = list(combinations(models, 2))
        if augmentation != BASELINE:
            pairs += product(self.baselines, models)
        if augmentation in self.augmentations:
            pairs += product(self.matched_models, models)
            if self.study["reference"] == "none":
                later = self.augmentations[self.augmentations.index(augmentation) + 1 :]
                pairs += product(models, [model for model in self.augmented if model[0] in later])
        return list(filter(self._differ, pairs))

    @cached_property
    def with_pairs(self) -> list[str]:
        """The baseline, augmentations and step-matched sets that have pairs."""
        names = (BASELINE, *self.augmentations, *self.matched)
        return [name for name in names if self.pairs_of(name)]

    @cached_property
    def arms(self) -> list[str]:
        """Names whose models can be compared with the noise floor: `with_pairs` less baseline."""
        return [name for name in self.with_pairs if name != BASELINE]

    @cached_property
    def parts(self) -> dict[str, list[str]]:
        """Number → arms whose map shift one job measures; {} if a single job does it for all.

        A job then takes minutes, whatever the number of arms.
        """
        if len(self.with_pairs) <= UNDIVIDED or self.study["reference"] == "none":
            return {}
        starts = range(0, len(self.with_pairs), PART)
        return {str(1 + k // PART): self.with_pairs[k : k + PART] for k in starts}

    def pairs_like_floor(self, augmentation: str) -> list[Pair]:
        """Its pairs with a baseline that differ in the same streams as two baselines do.

        For the baseline itself: the pairs of baselines, the noise floor.
        """
        streams = set(self._further["vary"] or self.study["vary"]) - {"augmentation"}

        def differ_alike(pair: Pair) -> bool:
            # The models of a pair always differ in the subset if seeds drive it.
            first, second = map(self.training, pair)
            return all(
                (first[f"{stream}_seed"] != second[f"{stream}_seed"]) == (stream in streams)
                for stream in ("init", "order")
            )

        return [
            pair
            for pair in self.pairs_of(augmentation)
            if pair[0][0] == BASELINE and differ_alike(pair)
        ]

    @cached_property
    def incomparable(self) -> str:
        """Why distances between and within kinds of models are not comparable; "" if they are."""
        augmented = set(self.study["vary"]) - {"augmentation"}
        further = set(self._further["vary"]) or augmented
        if further == augmented:
            return ""
        theirs, ours = (", ".join(sorted(streams)) or "nothing" for streams in (further, augmented))
        return (
            f"seeds of baselines drive {theirs}, those of augmented models {ours} besides the "
            "augmentation: their distances differ for this reason alone; let both drive the same"
        )

    @cached_property
    def summarised(self) -> bool:
        """Whether the study has a summary: predictions, and maps compared with a noise floor."""
        several = bool(self.arms and len(self.baselines) > 1)
        return several and not self.incomparable and self.predicts

    @property
    def ranks(self) -> bool:
        """Whether figures show the augmentations with the largest map shift, for lack of room."""
        return self.summarised and "controls" in self.study and len(self.augmentations) > MOST_SETS

    # ---- Metrics -------------------------------------------------------------------------------

    @cached_property
    def metrics(self) -> list[str]:
        """Names of the metrics, as the config has them."""
        return list(self.study["similarity"]["metrics"])

    @cached_property
    def distances(self) -> list[str]:
        """The metrics that compare two maps, or two predictions; not those of one map."""
        return [name for name in self.metrics if registry.metric(name).same is not None]

    @cached_property
    def map_distances(self) -> list[str]:
        """The metrics that compare two maps."""
        return [name for name in self.distances if registry.metric(name).of == "maps"]

    # ---- Training ------------------------------------------------------------------------------

    def steps_of(self, augmentation: str) -> list[list[Any]]:
        """[name, parameters] of each transform in turn; [] without augmentation."""
        return list(self.study["augmentations"].get(augmentation, []))

    @cached_property
    def test_transforms(self) -> dict[str, list[list[Any]]]:
        """Transforms of test images → their steps: those of `robustness`, then augmentations."""
        stage = self.study["robustness"]
        own = {name: self.steps_of(name) for name in self.augmentations if stage["augmentations"]}
        keep = {n: steps for n, steps in own.items() if registry.keeps_content(transforms(steps))}
        return {**stage["transforms"], **{name: steps for name, steps in keep.items() if steps}}

    def copies_of(self, augmentation: str | None) -> int:
        """Copies of each image in a training set, besides the original."""
        has_copies = augmentation in self.augmentations or augmentation == "duplicated_originals"
        # 0 if images are augmented in place: `config.complete` sets it.
        return int(self.study["augmenting"]["copies"]) if has_copies else 0

    def epochs_of(self, augmentation: str | None) -> int:
        """Number of epochs of a model's training."""
        epochs: int = self.study["training"]["epochs"]
        copies = self.study["augmenting"]["copies"] if augmentation == "longer_training" else 0
        change = self.changes.get(augmentation or "")
        # With steps_per_epoch, an epoch of fewer images has as many steps.
        if change and self.study["training"]["batch_size"] is not None:
            return round(epochs * known_changes.lengthening(change))
        return epochs * (1 + int(copies))

    def training(self, model: Model) -> dict[str, Any]:
        """The settings that decide the weights of a model, apart from the data and the code."""
        augmentation, seed = model
        study, training = self.study, self.study["training"]
        # An edit of what only augmented sets use must not retrain the baseline. Duplicated
        # originals use it too: they differ from an augmented set in the transform alone.
        steps, copies = self.steps_of(augmentation), self.copies_of(augmentation)
        parameters = study["model"].get("parameters")
        augment_at, resample = "native", "once"
        if steps or copies:
            augment_at, resample = study["augmenting"]["at"], study["augmenting"]["resample"]
        in_place = steps and study["augmenting"]["mode"] == "in_place"
        longer = self.epochs_of(augmentation) / training["epochs"]
        further = self._is_further(model)

        def stream(name: str, fixed: int) -> int:
            if further and name not in self._further["vary"]:
                return self.first_seed if name in study["vary"] else fixed
            return seed if further or name in study["vary"] else fixed

        return {
            "architecture": study["model"]["architecture"],
            **({"architecture_parameters": parameters} if parameters else {}),
            "input_size": study["model"]["input_size"],
            "steps": steps,
            "augment_at": augment_at,
            "copies": copies,
            **({"probability": study["augmenting"]["probability"]} if in_place else {}),
            "resample": resample,
            "epochs": self.epochs_of(augmentation),
            **{
                key: training[key]
                for key in ("batch_size", "steps_per_epoch")
                if training[key] is not None
            },
            "learning_rate": training["learning_rate"],
            "weight_decay": training["weight_decay"],
            **recipes.changed(study, int(longer) if longer.is_integer() else longer),
            "precision": training["precision"],
            "cuda_graph": training["cuda_graph"],
            "init_seed": stream("init", study["model"]["seed"]),
            "order_seed": stream("order", training["seed"]),
            "augmentation_seed": stream(
                "augmentation", study["augmenting"]["seed"] if steps else 0
            ),
            "device": study["compute"]["device"],
            "threads": study["compute"]["threads"],
        }

    def architecture_of(self, augmentation: str) -> str:
        """The architecture of the models of an augmentation; that of the baseline for others."""
        arms = self.study.get("trained", {})
        own = arms.get(augmentation, arms.get(BASELINE, self.study["model"]))
        return str(own["architecture"])

    @cached_property
    def architectures(self) -> list[str]:
        """All architectures of the models; none if only maps are imported."""
        if "maps" in self.study:
            return []
        return list(dict.fromkeys(self.architecture_of(name) for name, _ in self.models))

    def parameters_of(self, augmentation: str) -> dict[str, Any] | None:
        """Parameters of the architecture of an augmentation: only `model.architecture` has them."""
        model = self.study["model"]
        own = self.architecture_of(augmentation) == model["architecture"]
        return model.get("parameters") if own else None

    @property
    def permuted(self) -> dict[str, Any]:
        """The settings of the network that is trained on permuted labels (stage `sanity`).

        Those of the first baseline but for the number of epochs; the last epoch is kept, since no
        validation image has a label that could be predicted.
        """
        epochs = self.study["sanity"]["permuted_labels"]
        longer = epochs / self.study["training"]["epochs"]
        settings = self.training(self.baselines[0]) | recipes.changed(self.study, longer)
        settings.pop("early_stopping", None)
        changes = {"epochs": epochs, "keep": "last", "evaluate": ["validation", "train"]}
        return settings | changes

    def finetuning(self, model: Model) -> dict[str, Any]:
        """The settings with which a trained model is fine-tuned on images with deleted cells.

        Stage `single_deletion`. The training images without the model's own augmentation; half of
        them, at random in every epoch, have one cell of the grid replaced.
        """
        stage, training = self.study["single_deletion"], self.study["training"]
        rate = stage["learning_rate"] or training["learning_rate"] / 10
        settings = self.training(model)
        settings |= recipes.changed(self.study, stage["epochs"] / training["epochs"])
        for key in ("early_stopping", "weights", "weights_sha256"):
            settings.pop(key, None)
        for key in ("head_learning_rate", "bias_learning_rate"):
            if settings.get(key):
                settings[key] *= rate / training["learning_rate"]
        return settings | {
            "steps": [["delete_cell", {"cells": stage["cells"], "fill": None}]],
            "augment_at": "input",
            "copies": 0,
            "probability": 0.5,
            "resample": "each_epoch",
            "augmentation_seed": stage["seed"],
            "epochs": stage["epochs"],
            "learning_rate": rate,
            "keep": "last",
        }

    @property
    def initial(self) -> dict[str, Any]:
        """The settings that decide the random initial weights of the first baseline."""
        names = "init_seed", "input_size", "normalise", "threads"
        settings = self.training(self.baselines[0])
        parameters = self.parameters_of(BASELINE)
        return {
            "architecture": self.architecture_of(BASELINE),
            **{name: settings[name] for name in names if name in settings},
            **({"architecture_parameters": parameters} if parameters else {}),
        }

    def candidate(self, architecture: str) -> dict[str, Any]:
        """The settings of another architecture, trained without augmentation and tested.

        Parameters, a file of weights and names of frozen layers are of `model.architecture` alone.
        Published weights are those of each architecture; campare's own networks, which have none,
        keep those of the seed.
        """
        settings = {**self.training(self.models[0]), "architecture": architecture}
        if architecture != self.study["model"]["architecture"]:
            settings.pop("architecture_parameters", None)
            if settings.get("weights") != "published" or not registry.has_published(architecture):
                settings.pop("weights", None)
            if settings.get("freeze") != "all_but_head":
                settings.pop("freeze", None)
        return {**settings, "evaluate": ["validation", "test"]}

    # ---- Maps ----------------------------------------------------------------------------------

    @cached_property
    def variants(self) -> dict[str, Variant]:
        """Folder under `results/<study>/` → variant; "" is the main variant, `cam` itself."""
        cam = self.study["cam"]
        main = {key: cam[key] for key in ("method", "class", "target_layer")}
        changes = {"": {}, **{f"variants/{name}/": v for name, v in cam["variants"].items()}}
        settings = {folder: {**main, **changed} for folder, changed in changes.items()}
        return {
            folder: Variant(own["method"], own["class"], own["target_layer"])
            for folder, own in settings.items()
        }

    @cached_property
    def epochs(self) -> dict[str, int]:
        """Folder under `results/<study>/` → epoch of `cam.epochs` whose maps are made, too.

        The epoch whose weights are kept is that of the main variant and not listed here.
        """
        numbers = [value for value in self.study["cam"]["epochs"] if not isinstance(value, str)]
        return {f"epochs/{number}/": number for number in sorted(numbers)}

    def epochs_kept(self, augmentation: str) -> list[int]:
        """Epochs of a training whose weights are kept for `epochs`, in the same order.

        Step-matched longer training has as many steps in (1 + copies) epochs as an augmented
        training in one.
        """
        steps = self.epochs_of(augmentation) // int(self.study["training"]["epochs"])
        return [steps * number for number in self.epochs.values()]

    def variant_of(self, folder: str) -> Variant:
        """How the maps of a folder of `variants` or `epochs` are made."""
        return self.variants["" if folder in self.epochs else folder]

    @cached_property
    def variant_titles(self) -> dict[str, str]:
        """Name of each variant, "main" for `cam` itself → method, class and layer of its maps."""
        names = ("main", *self.study["cam"]["variants"])
        return {
            name: variant.title for name, variant in zip(names, self.variants.values(), strict=True)
        }

    def explained_by(self, model: Model, variant: str) -> list[Model]:
        """The baseline whose predicted class a model's maps explain, as a list of one model.

        Empty if the maps explain another class: the true one or the model's own prediction.
        """
        if self.variant_of(variant).class_policy != "baseline" or model in self.references:
            return []
        # Further baselines explain what the first one predicts, so that maps are of one class.
        return [self.reference_of(model[1])]

    # ---- What the config says of controls --------------------------------------------------------

    @cached_property
    def _controls(self) -> Mapping[str, Any]:
        return dict(self.study.get("controls", {}))

    @cached_property
    def _further(self) -> Mapping[str, Any]:
        """`controls.baselines`: baselines that differ from the first in the streams of `vary`."""
        return dict(self._controls.get("baselines", {"seeds": [], "vary": []}))


def transforms(steps: Iterable[Iterable[Any]]) -> list[str]:
    """The names of the transforms of an augmentation."""
    return [name for name, _ in steps]
