# The study: its checked config, its models, its paths.
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
BASELINE = ("baseline", SEEDS[0])
AUGMENTED = [(augmentation, seed) for augmentation in AUGMENTATIONS for seed in SEEDS]
MODELS = [BASELINE, *AUGMENTED]
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
    highest="mean|std",


def of_models(pattern, models):
    """One path per (augmentation, seed)."""
    return [f"{RESULTS}/{pattern}".format(augmentation=a, seed=s) for a, s in models]


BASELINE_WEIGHTS = of_models("models/{augmentation}/{seed}.safetensors", [BASELINE])[0]
BASELINE_STORE = of_models("cams/{augmentation}/{seed}.h5", [BASELINE])[0]


def figures(kind, labels):
    """The files of one kind of figure: name → labels in the report, which takes one format."""
    return [
        (
            reported(
                path,
                caption=f"../report/{kind}.rst",
                category="Figures",
                subcategory=kind,
                labels=labels[name],
            )
            if suffix == FORMATS[0]
            else path
        )
        for name in labels
        for suffix in FORMATS
        for path in [f"{RESULTS}/figures/{kind}/{name}.{suffix}"]
    ]


def labelled(label, names):
    """Each name under one label."""
    return {name: {label: name} for name in names}


def table(name):
    """A table, with its caption."""
    return reported(
        f"{RESULTS}/tables/{name}.csv",
        caption="../report/tables.rst",
        category="Tables",
        labels={"table": name},
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
        "batch_size": STUDY["training"]["batch_size"],
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


def of_augmented(pattern):
    """One path per augmented model, once a job needs them: a study may have none."""

    def paths(_):
        if not AUGMENTED:
            raise WorkflowError(
                f"{workflow.configfiles[-1]}: augmentations: empty, so that there is nothing to "
                "compare with the baseline; name some"
            )
        return of_models(pattern, AUGMENTED)

    return paths


def mapping_settings(variant):
    """What jobs share that map other images, or another network, than a study's models."""
    return {
        "study": STUDY["study"],
        "variant": variant,
        "seed": BASELINE[1],
        "input_size": STUDY["model"]["input_size"],
        "batch_size": STUDY["cam"]["batch_size"],
        "device": STUDY["compute"]["device"],
        "threads": STUDY["compute"]["threads"],
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
    is_baseline = (wildcards.augmentation, int(wildcards.seed)) == BASELINE
    if STUDY["cam"]["class"] != "baseline" or is_baseline:
        return []
    return of_models("cams/{augmentation}/{seed}.h5", [BASELINE])
