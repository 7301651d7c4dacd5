# The study: its checked config, its models, its paths.
import re
from shutil import which

from campare import config as study_config, registry
from campare.errors import CampareError
from snakemake.exceptions import WorkflowError
from snakemake.io import report as reported

import provenance

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


def wants_gpu():
    """1 where a job is to run on a CUDA device, else 0."""
    device = STUDY["compute"]["device"]
    return int(device == "cuda" or (device == "auto" and which("nvidia-smi") is not None))


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
        "device": STUDY["compute"]["device"],
        "threads": STUDY["compute"]["threads"],
    }


def training_code(architecture, steps):
    """Digests of the training code, with the augmentations and the architecture it uses."""
    return code(
        "train_model",
        *entries_of(registry.AUGMENTATIONS, *(name for name, _ in steps)),
        architecture_entry(architecture),
    )


def explained_by(wildcards):
    """The baseline's store, where cam.class is `baseline` and this is another model."""
    if STUDY["cam"]["class"] != "baseline" or wildcards.augmentation == "baseline":
        return []
    return of_models(
        f"{wildcards.also}cams/{{augmentation}}/{{seed}}.h5", [reference_of(wildcards.seed)]
    )
