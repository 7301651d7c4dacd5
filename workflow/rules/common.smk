# The study: its checked config, its models, its paths.
import math
import re
from shutil import which

from campare import config as study_config, needs, registry
from campare.errors import CampareError
from snakemake.exceptions import WorkflowError
from snakemake.io import report as reported

import provenance
import retrying

retrying.install()

try:
    STUDY = study_config.complete(config, str(workflow.configfiles[-1]))
except CampareError as error:
    raise WorkflowError(str(error)) from None

RESULTS = f"results/{STUDY['study']}"
SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
AUGMENTATIONS = list(STUDY["augmentations"])
SEEDS = STUDY["seeds"]
AUGMENTED = [(augmentation, seed) for augmentation in AUGMENTATIONS for seed in SEEDS]


def reference_of(seed):
    """The baseline that the models of a seed are compared with."""
    return ("baseline", int(seed) if STUDY["reference"] == "paired" else SEEDS[0])


BASELINES = list(dict.fromkeys(map(reference_of, SEEDS)))
MODELS = [*BASELINES, *AUGMENTED]
# One split for all, or one per seed.
SPLIT = "split/{seed}" if "subset" in STUDY["vary"] else "split"
FIRST_SPLIT = f"{RESULTS}/{SPLIT}.csv".format(seed=SEEDS[0])
# What the wildcard `also` may be: nothing for the study's first method, so that its files lie where
# those of a study with one method lie, and a folder for each further one.
ALSO = ["", *(f"{method}/" for method in STUDY["cam"]["also"])]
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
SCORES = ["accuracy", "precision", "recall", "f1"]


wildcard_constraints:
    augmentation="|".join(["baseline", *AUGMENTATIONS]),
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


def figures(kind, labels, also=""):
    """The files of one kind of figure: name → labels in the report, which takes one format.

    `also` is the wildcard of that name where every method of the study has such figures.
    """
    return [
        (
            reported(
                path,
                caption=f"../report/{kind}.rst",
                category="Figures",
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
    return Path(also).name or STUDY["cam"]["method"]


def by_method(labels, also):
    """Labels for the report, with the method where a study has several."""

    def labelled(wildcards):
        return {**labels, "method": method_of(wildcards.also)}

    return labelled if also and len(ALSO) > 1 else labels


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
    copies = STUDY["augmenting"]["copies"] if steps_of(wildcards.get("augmentation")) else 0
    return sizes()["train"] * (1 + copies)


def training_minutes(wildcards):
    return needs.training_minutes(
        images_of_an_epoch(wildcards),
        STUDY["training"]["epochs"],
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
    return needs.comparing_minutes(sizes()["test"] * len(SEEDS), THREADS)


def table_memory(wildcards):
    """Of a job that reads every row of every similarity table."""
    return needs.table_memory(sizes()["test"] * len(MODELS))


def training_settings(augmentation, seed):
    """What one training job does, all of it: the same settings give the same weights."""
    steps = steps_of(augmentation)
    # What only augmented sets have must not retrain the baseline when it is edited.
    augmenting = STUDY["augmenting"] if steps else {"at": "native", "copies": 0, "resample": "once"}

    def stream(name, fixed):
        return seed if name in STUDY["vary"] else fixed

    return {
        "architecture": STUDY["model"]["architecture"],
        "input_size": STUDY["model"]["input_size"],
        "steps": steps,
        "augment_at": augmenting["at"],
        "copies": augmenting["copies"],
        "resample": augmenting["resample"],
        "epochs": STUDY["training"]["epochs"],
        **{
            key: STUDY["training"][key]
            for key in ("batch_size", "steps_per_epoch")
            if STUDY["training"][key] is not None
        },
        "learning_rate": STUDY["training"]["learning_rate"],
        "weight_decay": STUDY["training"]["weight_decay"],
        "precision": STUDY["training"]["precision"],
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
        "device": DEVICE,
        "threads": THREADS,
    }


def machine_stage(wildcards):
    """The stage that a machine belongs to."""
    return "hybrid" if wildcards.machine == "cnn-svm" else "masking"


def machine_settings(wildcards):
    """How a machine is chosen and fitted."""
    stage = STUDY[machine_stage(wildcards)]
    return {**stage["svm"], "seed": stage["seed"]}


def own_photographs(_):
    """The files of the user's folder, so that a new or changed one is seen."""
    folder = Path(STUDY["own_pictures"]["folder"]).expanduser()
    inner = [folder, *filter(Path.is_dir, folder.iterdir())] if folder.is_dir() else []
    return sorted(str(path) for place in inner for path in place.iterdir() if path.is_file())


def explained_by(wildcards):
    """The baseline's store, where cam.class is `baseline` and this is another model."""
    if STUDY["cam"]["class"] != "baseline" or wildcards.augmentation == "baseline":
        return []
    return of_models(
        f"{wildcards.also}cams/{{augmentation}}/{{seed}}.h5", [reference_of(wildcards.seed)]
    )
