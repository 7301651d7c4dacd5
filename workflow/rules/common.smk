# The study: its checked config, its design (scripts/campare/design.py), and what all rules share: paths,
# digests of the code of jobs, resources, tables and figures of the report.
import os
from itertools import chain, product

from campare import config as study_config, feasibility, needs, ownership, registry, config_text
from campare import columns, explorer_page, known_changes, labels, multichannel, sizes, user_code
from campare.design import Design, transforms
from campare.errors import CampareError
from campare.paper import contents, references
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

import importing
import provenance
import report_jobs
import retrying
import startup
import stopping
from inputs import (
    CAMS,
    WEIGHTS,
    Inputs,
    array_listing,
    decisive,
    file_digest,
    folder_digest,
    image_listing,
    model_of,
    of_models,
    stamps,
    with_digest,
)
from provenance import each, named

IMPORTED = importing.imported(workflow)
# The config files of the study; a workflow that imports this one provides a config instead.
FILES = [] if IMPORTED else workflow.configfiles
SOURCE = os.path.relpath(FILES[-1]) if FILES else "config given to the module"
if FILES and workflow.config_settings.config_args:
    SOURCE += " and --config"

try:
    for file in FILES:
        config_text.check(file)
    for entry in (FILES and workflow.config_settings.config_args) or ():
        update_config(config, config_text.argument(entry))
    # Files that the study names, such as `mine.py:blur`, are in the folder of its config.
    user_code.use(Path(FILES[-1]).absolute().parent if FILES else Path.cwd())
    STUDY = study_config.complete(config, SOURCE)
except CampareError as error:
    raise WorkflowError(str(error)) from None


pathvars:
    results=f"results/{STUDY['study']}",
    logs=f"results/{STUDY['study']}/logs",
    benchmarks=f"results/{STUDY['study']}/benchmarks",


startup.prepare(workflow, shell)
retrying.install()
stopping.install()
importing.ignore_times_of_scripts()

DESIGN = Design(STUDY)
INPUTS = Inputs(DESIGN, SOURCE)
# Stages are rule files that are included if the study has a key of their name.
STAGES = sorted(
    file.stem for file in (ROOT / "workflow/rules/stages").glob("*.smk") if file.stem in STUDY
)
TARGETS = ["tables", "figures", "explorer", "virelay", "architectures", "paper", *STAGES, "pages"]
# Targets that are made only on request.
ON_DEMAND = {"architectures", "own_images", "paper", "virelay"}
# Targets of `all`.
DEFAULT_TARGETS = [target for target in TARGETS if target not in ON_DEMAND]
# One split for all models, or one per seed.
SPLIT = "split" if DESIGN.one_split else "split/{seed}"
FIRST_SPLIT = f"<results>/{SPLIT}.csv".format(seed=DESIGN.first_seed)
# Seed of everything that statistics resample, permute or shuffle.
RESAMPLING_SEED = 0
# 1 if networks run on a CUDA device; 1 if maps are compared on one.
GPU = int(startup.has_gpu(workflow, STUDY["compute"]["device"]))
COMPARING_GPU = int(STUDY["similarity"]["device"] == "cuda")


# Folders of maps and pairs: those of variants, and of epochs, which have no tables of their own.
WITH_EPOCHS = f"(?:{'|'.join([*DESIGN.variants, *DESIGN.epochs])})"


wildcard_constraints:
    augmentation="|".join(
        ["baseline", *DESIGN.augmentations, *registry.RESERVED.values(), *DESIGN.changes]
    ),
    seed=r"\d+",
    variant=f"(?:{'|'.join(DESIGN.variants)})",


# Training data of the models of `known_changes` that have data of their own.
CHANGED_DATA = "<results>/known_changes/{augmentation}/{seed}.h5"
LOCALISATION = "<results>/{variant}localisation/{augmentation}/{seed}.parquet"
SIMILARITIES = "<results>/{variant}similarity/{augmentation}/{seed}.parquet"
(BASELINE_WEIGHTS,) = of_models(WEIGHTS, DESIGN.baselines[:1])
(BASELINE_STORE,) = of_models(CAMS, DESIGN.baselines[:1], variant="")


def architecture_of(wildcards):
    """Return the architecture of a model."""
    return DESIGN.architecture_of(wildcards.augmentation)


def sized(kind):
    """Return the resources of a kind of job, from `needs.Needs`; more at each attempt."""

    def need(wildcards):
        data, split = rules.load_data.output.data, rules.make_split.output.split
        first = Path(str(split).format(seed=DESIGN.first_seed))
        return getattr(needs.Needs(DESIGN, Path(str(data)), first, GPU), kind)(wildcards)

    return {
        "mem_mb": lambda wildcards, attempt: attempt * need(wildcards).memory,
        "runtime": lambda wildcards, attempt: attempt * need(wildcards).minutes,
    }


# Digests of the code that a script runs, as params, including functions found through the registry.
SCRIPTS = ROOT / "workflow" / "scripts"
USER_FILES = provenance.user_files(user_code.state())


def code(*arguments):
    return provenance.params(SCRIPTS, *arguments) | USER_FILES


def code_by(*arguments):
    return provenance.params_by(SCRIPTS, *arguments) | USER_FILES


ARCHITECTURES = [registry.architecture_function(name) for name in DESIGN.architectures]
TRANSFORMS = {
    name: registry.functions(registry.STEPS, transforms(DESIGN.steps_of(name)))
    for name in dict([*DESIGN.models, *DESIGN.changed_models])
}
METHODS = {
    folder: registry.functions(registry.CAM_METHODS, [variant.method])
    for folder, variant in DESIGN.variants.items()
}
METHODS |= dict.fromkeys(DESIGN.epochs, METHODS[""])


# Params of all jobs that run a network, that make maps, and that compare maps.
DEVICE = {"device": STUDY["compute"]["device"], "threads": STUDY["compute"]["threads"]}
MAPPING = {
    "study": STUDY["study"],
    "input_size": STUDY["model"]["input_size"],
    "batch_size": STUDY["cam"]["batch_size"],
    "fold_batch_norm": STUDY["cam"]["fold_batch_norm"],
    **DEVICE,
}
COMPARING = {
    **STUDY["similarity"],
    "input_size": STUDY["model"]["input_size"],
    "one_split": DESIGN.one_split,
}
# Tables and figures, which the following rule files declare.
REPORT = report_jobs.ReportJobs(DESIGN, code)
tabulate, draw, table, figures = REPORT.tabulate, REPORT.draw, REPORT.table, REPORT.figures
