# The study: its checked config, its models, its paths.
import hashlib
import math
import os
import re
from itertools import combinations, product
from shutil import which

from campare import config as study_config, needs, owner, registry, strict
from campare.errors import CampareError
from snakemake.exceptions import WorkflowError
from snakemake.io import report as reported
from snakemake.utils import update_config

import provenance
import retrying
import stopping

retrying.install()
stopping.install()
# `set` is Snakemake's own. Jobs read and write text and names as UTF-8, whatever the locale says.
shell.prefix(f"set -euo pipefail; export PYTHONUTF8=1; {stopping.PREFIX}")

SOURCE = str(workflow.configfiles[-1])
if workflow.config_settings.config_args:
    SOURCE += " and --config"

try:
    for file in workflow.configfiles:
        strict.insist(file)
    for entry in workflow.config_settings.config_args or ():
        update_config(config, strict.argument(entry))
    STUDY = study_config.complete(config, SOURCE)
    RESULTS = f"results/{STUDY['study']}"
    if workflow.is_main_process:
        owner.insist(Path(RESULTS), workflow.configfiles)
except CampareError as error:
    raise WorkflowError(str(error)) from None

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
AUGMENTATIONS = list(STUDY["augmentations"])
SEEDS = STUDY["seeds"]
AUGMENTED = [(augmentation, seed) for augmentation in AUGMENTATIONS for seed in SEEDS]
# Whether seeds pair each augmented model with a baseline.
PAIRED_SEEDS = STUDY["reference"] == "paired"
# Seed of all that statistics resample, permute or shuffle.
DRAWN = 0

CONTROLS = STUDY.get("controls", {})
CONTROLLED = "controls" in STUDY or STUDY["reference"] == "none"
# Baselines that differ from the first in the streams of `vary` alone: the noise floor.
FURTHER = CONTROLS.get("baselines", {"seeds": [], "vary": []})
# Sets without an augmentation that give a network as many steps as those with one. Where a seed
# drives the augmentation alone, all their models would be the same.
MATCHED = [name for name in registry.MATCHED if CONTROLS.get(name)]
MATCHED_SEEDS = CONTROLS.get("matched_seeds") or SEEDS
if not set(STUDY["vary"]) - {"augmentation"}:
    MATCHED_SEEDS = MATCHED_SEEDS[:1]
MATCHED_MODELS = [(name, seed) for name in MATCHED for seed in MATCHED_SEEDS]


def reference_of(seed):
    """The baseline of the study itself that the models of a seed are compared with."""
    return ("baseline", int(seed) if PAIRED_SEEDS and int(seed) in SEEDS else SEEDS[0])


REFERENCES = list(dict.fromkeys(map(reference_of, SEEDS)))
BASELINES = [*REFERENCES, *(("baseline", seed) for seed in FURTHER["seeds"])]
MODELS = [*BASELINES, *AUGMENTED, *MATCHED_MODELS]
# Those whose maps are compared with a baseline's.
COMPARED = [] if STUDY["reference"] == "none" else AUGMENTED
# Whether there is a floor to draw beside them.
FLOOR = bool(COMPARED and "controls" in STUDY and (len(BASELINES) > 1 or MATCHED))


def driven(model):
    """The streams of randomness that a model's seed drives."""
    if model[0] == "baseline" and model[1] in FURTHER["seeds"]:
        return set(FURTHER["vary"])
    return set(STUDY["vary"]) - (set() if model[0] in AUGMENTATIONS else {"augmentation"})


def apart(pair):
    """Whether two models have no stream of randomness from one seed, which brings maps together."""
    a, b = pair
    return a[1] != b[1] or not driven(a) & driven(b)


def references_of(augmentation, seed):
    """All baselines that a model is compared with."""
    if STUDY["reference"] not in ("all", "disjoint"):
        return [reference_of(seed)]
    dealt = BASELINES
    if STUDY["reference"] == "disjoint" and augmentation in AUGMENTATIONS:
        dealt = BASELINES[1 + AUGMENTATIONS.index(augmentation) :: len(AUGMENTATIONS)]
    return [model for model in dealt if apart((model, (augmentation, int(seed))))]


def compared_with():
    """How many baselines a model is compared with, at most."""
    return max((len(references_of(*model)) for model in AUGMENTED), default=1)


# One split for all, or one per seed.
SPLIT = "split/{seed}" if "subset" in STUDY["vary"] else "split"
FIRST_SPLIT = f"{RESULTS}/{SPLIT}.csv".format(seed=SEEDS[0])
# What the wildcard `also` may be: nothing for the study's first method and class, so that its files
# lie where those of a study with one lie, and a folder for each further method or class explained.
OF_CLASS = "class-"
FURTHER_OF = {"method": "also", "class": "also_class"}
ALSO = [
    "",
    *(f"{method}/" for method in STUDY["cam"]["also"]),
    *(f"{OF_CLASS}{policy}/" for policy in STUDY["cam"]["also_class"]),
]
METRICS = STUDY["similarity"]["metrics"]
FORMATS = STUDY["figures"]["formats"]
# What the registry says of each metric, for figures: a new label redraws them.
DESCRIBED = {
    name: (entry.label, entry.same, entry.bounds)
    for name, entry in ((name, registry.metric(name)) for name in METRICS)
}
THREADS = STUDY["compute"]["threads"]
DEVICE = STUDY["compute"]["device"]
# 1 where a job is to run on a CUDA device.
GPU = int(DEVICE == "cuda" or (DEVICE == "auto" and which("nvidia-smi") is not None))
# The same of a job that compares maps.
COMPARING_GPU = int(STUDY["similarity"]["device"] == "cuda")
SCORES = ["accuracy", "precision", "recall", "f1"]


wildcard_constraints:
    augmentation="|".join(["baseline", *AUGMENTATIONS, *registry.RESERVED.values()]),
    seed=r"\d+",
    also=f"(?:{'|'.join(map(re.escape, ALSO))})",
    highest="mean|std",


def of_models(pattern, models):
    """One path per (augmentation, seed); other wildcards stay."""
    return [
        f"{RESULTS}/{pattern}".replace("{augmentation}", a).replace("{seed}", str(s))
        for a, s in models
    ]


BASELINE_WEIGHTS = of_models("models/{augmentation}/{seed}.safetensors", BASELINES)[0]
BASELINE_STORE = of_models("cams/{augmentation}/{seed}.h5", BASELINES)[0]


def figures(kind, labels, also="", category="Figures"):
    """The files of one kind of figure: name → labels in the report, which takes one format.

    `also` is the wildcard of that name where every method of the study has such figures.
    """
    return [
        (
            reported(
                path,
                caption=f"../report/{kind}.rst",
                category=category,
                subcategory=kind,
                labels=by_method(labels[name], also),
            )
            if suffix == FORMATS[0]
            else path
        )
        for name in labels
        for suffix in FORMATS
        for path in [f"{RESULTS}/{also}figures/{kind}/{name}.{suffix}"]
    ]


def method_of(also):
    """The CAM method that a value of the wildcard `also` stands for."""
    return STUDY["cam"]["method"] if not also or OF_CLASS in also else Path(also).name


def class_of(also):
    """The class explained under a value of the wildcard `also`."""
    return Path(also).name.removeprefix(OF_CLASS) if OF_CLASS in also else STUDY["cam"]["class"]


def by_method(labels, also):
    """Labels for the report, with method and class explained where a study has several."""

    def labelled(wildcards):
        found = {"method": method_of(wildcards.also), "class": class_of(wildcards.also)}
        several = [name for name in found if STUDY["cam"][FURTHER_OF[name]]]
        return {**labels, **{name: found[name] for name in several}}

    return labelled if also and len(ALSO) > 1 else labels


def verbatim(settings):
    """Params as they are: Snakemake would look for wildcards in `root: "a {b}"`."""
    return {name: lambda _, value=value: value for name, value in settings.items()}


def labelled(label, names):
    """Each name under one label."""
    return {name: {label: name} for name in names}


def table(name, also=""):
    """A table, with its caption; `also` as in `figures`."""
    return reported(
        f"{RESULTS}/{also}tables/{name}.csv",
        caption="../report/tables.rst",
        category="Tables",
        labels=by_method({"table": name}, also),
    )


def steps_of(augmentation):
    """[registry name, parameters] of each step; none for the baseline."""
    return STUDY["augmentations"].get(augmentation, [])


def copies_of(augmentation):
    """Copies in a training set, augmented or not, of each image."""
    has_copies = augmentation in AUGMENTATIONS or augmentation == "identity"
    return STUDY["augmenting"]["copies"] if has_copies else 0


def epochs_of(augmentation):
    longer = 1 + STUDY["augmenting"]["copies"] if augmentation == "baseline_long" else 1
    return STUDY["training"]["epochs"] * longer


def entries_of(kind, *names):
    """The functions of registry entries, for their share in a job's code digest."""
    return [kind[name].function for name in names]


def architecture_entry(name):
    """The function that makes an architecture of the registry or of torchvision."""
    entry = registry.ARCHITECTURES.get(name)
    return entry.function if entry else "models:torchvision_classifier"


def code(script, *entries):
    """Digests of the code a script runs; changes when an edit matters."""
    return provenance.code(SCRIPTS, script, *entries)


def at_each_attempt(need):
    """A resource: what `need` says of a job, twice that at its second attempt, and so on."""
    return lambda wildcards, attempt: attempt * need(wildcards)


def sizes():
    """Images in each subset."""
    return needs.sizes(FIRST_SPLIT)


def gmacs(wildcards):
    """What a forward pass of a job's network costs."""
    name = wildcards.get("architecture", STUDY["model"]["architecture"])
    return registry.gmacs(name, STUDY["model"]["input_size"])


def images_of_an_epoch(wildcards):
    """Of a training job; the copies of an augmented set included."""
    return sizes()["train"] * (1 + copies_of(wildcards.get("augmentation")))


def training_minutes(wildcards):
    return needs.training_minutes(
        images_of_an_epoch(wildcards),
        epochs_of(wildcards.get("augmentation")),
        gmacs(wildcards),
        THREADS,
        GPU,
    )


def training_memory(wildcards):
    images = images_of_an_epoch(wildcards)
    training = STUDY["training"]
    batch_size = training["batch_size"] or math.ceil(images / training["steps_per_epoch"])
    return network_memory(batch_size, images if STUDY["augmenting"]["resample"] == "once" else 0)


def explaining_minutes(wildcards):
    return needs.explaining_minutes(
        sizes()["test"],
        max(registry.CAM_METHODS[method_of(also)].passes for also in ALSO),
        gmacs(wildcards),
        THREADS,
        GPU,
    )


def explaining_memory(wildcards):
    return network_memory(STUDY["cam"]["batch_size"])


def network_memory(batch_size, kept=0):
    """Of a job with a network, all images, and `kept` augmented ones."""
    return needs.network_memory(
        f"{RESULTS}/data.h5", kept, batch_size, STUDY["model"]["input_size"], GPU
    )


def faithfulness_minutes(wildcards):
    """Of the forward passes of every curve of two maps, and of filling each hole of ROAD."""
    wanted = STUDY["faithfulness"]
    shares = len(wanted["road"])
    passes = 4 * (wanted["steps"] + 1 + shares)
    minutes = needs.explaining_minutes(wanted["images"], passes, gmacs(wildcards), THREADS, GPU)
    holes = 4 * shares * wanted["images"]
    return minutes + needs.imputing_minutes(holes, STUDY["model"]["input_size"])


def comparing_minutes(wildcards):
    return needs.comparing_minutes(sizes()["test"] * len(SEEDS) * compared_with(), THREADS)


def table_memory(wildcards):
    """Of a job that reads every row of every similarity table."""
    return needs.table_memory(sizes()["test"] * len(MODELS) * compared_with())


def training_settings(augmentation, seed):
    """What one training job does, all of it: the same settings give the same weights."""
    # What only sets with copies have must not retrain the baseline when it is edited.
    augmenting = {"at": "native", "copies": 0, "resample": "once"}
    if copies_of(augmentation):
        augmenting = STUDY["augmenting"]
    further = augmentation == "baseline" and seed in FURTHER["seeds"]

    def stream(name, fixed):
        if further and name not in FURTHER["vary"]:
            return SEEDS[0] if name in STUDY["vary"] else fixed
        return seed if further or name in STUDY["vary"] else fixed

    return {
        "architecture": STUDY["model"]["architecture"],
        "input_size": STUDY["model"]["input_size"],
        "steps": steps_of(augmentation),
        "augment_at": augmenting["at"],
        "copies": augmenting["copies"],
        "resample": augmenting["resample"],
        "epochs": epochs_of(augmentation),
        **{
            key: STUDY["training"][key]
            for key in ("batch_size", "steps_per_epoch")
            if STUDY["training"][key] is not None
        },
        "learning_rate": STUDY["training"]["learning_rate"],
        "weight_decay": STUDY["training"]["weight_decay"],
        "precision": STUDY["training"]["precision"],
        "cuda_graph": STUDY["training"]["cuda_graph"],
        "init_seed": stream("init", STUDY["model"]["seed"]),
        "order_seed": stream("order", STUDY["training"]["seed"]),
        "augmentation_seed": stream("augmentation", STUDY["augmenting"]["seed"]),
        "device": DEVICE,
        "threads": THREADS,
    }


def training_code(architecture, steps):
    """Digests of the training code, with the augmentations and the architecture it uses."""
    return code(
        "train_model",
        *entries_of(registry.AUGMENTATIONS, *(name for name, _ in steps)),
        architecture_entry(architecture),
    )


def of_augmented(pattern):
    """One path per augmented model, once a job needs them: a study may have none."""

    def paths(wildcards):
        if not AUGMENTED:
            raise WorkflowError(
                f"{workflow.configfiles[-1]}: augmentations: empty, so that there is nothing to "
                "compare with the baseline; name some"
            )
        return of_models(pattern.replace("{also}", wildcards.get("also", "")), AUGMENTED)

    return paths


def mapping_settings(variant):
    """What jobs share that map other images, or another network, than a study's models."""
    return {
        "study": STUDY["study"],
        "augmentation": variant,
        "seed": SEEDS[0],
        "input_size": STUDY["model"]["input_size"],
        "batch_size": STUDY["cam"]["batch_size"],
        "fold_batch_norm": STUDY["cam"]["fold_batch_norm"],
        "device": DEVICE,
        "threads": THREADS,
    }


def machine_stage(wildcards):
    """The stage that a machine belongs to."""
    return "hybrid" if wildcards.machine == "cnn-svm" else "masking"


def machine_settings(wildcards):
    """How a machine is chosen and fitted."""
    stage = STUDY[machine_stage(wildcards)]
    given = (config.get(machine_stage(wildcards)) or {}).get("svm", {})
    defaults = [key for key in ("folds", "search_images") if key not in given]
    return {**stage["svm"], "seed": stage["seed"], "adapts": defaults}


def own_photographs(_):
    """A digest of the user's folder, so that a new or changed file is seen.

    Not the files as input, whose names Snakemake would read as patterns: `{x}.png`.
    """
    folder = Path(STUDY["own_pictures"]["folder"]).expanduser()
    inner = [folder, *filter(Path.is_dir, folder.iterdir())] if folder.is_dir() else []
    files = sorted(path for place in inner for path in place.iterdir() if path.is_file())
    listed = [(os.fsencode(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr(listed).encode()).hexdigest()


def explained_by(wildcards):
    """The baseline's store, where its class is explained and this is another model."""
    model = wildcards.augmentation, int(wildcards.seed)
    if class_of(wildcards.also) != "baseline" or model in REFERENCES:
        return []
    # Further baselines explain what the first predicts, so that their maps compare.
    asked = reference_of(model[1]) if model[1] in SEEDS else REFERENCES[0]
    return of_models(f"{wildcards.also}cams/{{augmentation}}/{{seed}}.h5", [asked])


def baselines_of_each(seeds):
    """Input function: a baseline's store for every comparison of an augmentation's models."""
    return lambda wildcards: [
        path
        for seed in seeds
        for path in of_models(
            f"{wildcards.also}cams/{{augmentation}}/{{seed}}.h5",
            references_of(wildcards.augmentation, seed),
        )
    ]


def stores_of_each(seeds):
    """Input function: the store that each of these baselines is compared with."""
    return lambda wildcards: [
        f"{RESULTS}/{wildcards.also}cams/{wildcards.augmentation}/{seed}.h5"
        for seed in seeds
        for _ in references_of(wildcards.augmentation, seed)
    ]


def models_of(augmentation):
    """The models of an augmentation, of a control or of the baseline."""
    return [model for model in MODELS if model[0] == augmentation]


def pairs_of(augmentation):
    """The pairs of models in pairs/<augmentation>.parquet: with what has none, and within."""
    own = models_of(augmentation)
    found = list(combinations(own, 2))
    if augmentation != "baseline":
        found += product(BASELINES, own)
    if augmentation in AUGMENTATIONS:
        found += product(MATCHED_MODELS, own)
    if augmentation in AUGMENTATIONS and STUDY["reference"] == "none":
        later = AUGMENTATIONS[AUGMENTATIONS.index(augmentation) + 1 :]
        found += product(own, [(name, seed) for name in later for seed in SEEDS])
    return list(filter(apart, found))


def like_floor(augmentation):
    """Of these pairs, those with a baseline that differ in the streams in which baselines do."""
    streams = set(FURTHER["vary"] or STUDY["vary"]) - {"augmentation"}

    def differing(pair):
        first, second = (training_settings(*model) for model in pair)
        names = {
            name for name in ("init", "order") if first[f"{name}_seed"] != second[f"{name}_seed"]
        }
        return names | ({"subset"} & streams if pair[0][1] != pair[1][1] else set())

    return [
        pair
        for pair in pairs_of(augmentation)
        if pair[0][0] == "baseline" and (differing(pair) == streams or len(BASELINES) == 1)
    ]


def pairs_of_maps(*augmentations):
    return sizes()["test"] * sum(len(pairs_of(name)) for name in augmentations)


def pairs_memory(*augmentations):
    """Of a job that holds all these pairs."""
    return needs.table_memory(pairs_of_maps(*augmentations))


def paired_stores(wildcards):
    """The store of every model of these pairs, in the order in which they come."""
    models = dict.fromkeys(model for pair in pairs_of(wildcards.augmentation) for model in pair)
    return of_models(f"{wildcards.also}cams/{{augmentation}}/{{seed}}.h5", models)


def incomparable():
    """Why distances between and within kinds of models do not compare; "" where they do."""
    augmented = set(STUDY["vary"]) - {"augmentation"}
    drawn = [driven(model) for model in BASELINES if model not in REFERENCES[:1]]
    other = next((streams for streams in drawn if streams != augmented), None)
    if other is None:
        return ""
    theirs, ours = (", ".join(sorted(streams)) or "nothing" for streams in (other, augmented))
    return (
        f"seeds of baselines drive {theirs}, those of augmented models {ours} beside the "
        "augmentation: their distances differ anyway; let both drive the same"
    )
