# campare: how does data augmentation change what a CNN image classifier looks at?
#
#   snakemake --cores all                                      the default study, config/config.yaml
#   snakemake --cores all --configfile config/thesis.yaml      another study
#   snakemake --cores all results/digits/figures/boxplot/mad.png     one figure
#   snakemake --cores all architectures                        compare candidate architectures
#   snakemake --cores all efficiency                           what every job used
#
# The pipeline, one rule file per stage:
#
#   data → train → cams → similarity → tables → figures        architectures, efficiency beside them
#                    ├──→ controls: how far models lie apart without an augmentation
#                    ├──→ sheets, hybrid, masking, covering, faithfulness, own_pictures: where a study
#                    │    has them
#                    └──→ localisation: where the pictures come with masks
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))


# A file given with --configfile replaces the default study; Snakemake would merge the two.
if not workflow.configfiles:

    configfile: "config/config.yaml"


# What `--sdm apptainer` runs jobs in; envs/campare.def says how to build it.
container: "envs/campare.sif"


# Read once by the local process and by every cluster job, so nothing here imports torch.
include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/cams.smk"
include: "workflow/rules/similarity.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/architectures.smk"
include: "workflow/rules/efficiency.smk"


# Stages that a study switches on by a key of that name.
STAGES = [
    name
    for name in ("sheets", "hybrid", "masking", "covering", "faithfulness", "own_pictures")
    if name in STUDY
]
if CONTROLLED:
    STAGES.insert(0, "controls")
# One that comes with the data.
if registry.DATASETS[STUDY["data"]["name"]].has_regions(STUDY["data"]["root"]):
    STAGES.append("localisation")
if "hybrid" in STUDY or "masking" in STUDY:

    include: "workflow/rules/svm.smk"


for stage in STAGES:

    include: f"workflow/rules/{stage}.smk"


report: "workflow/report/workflow.rst"


# Limits of one machine, or of one submission (profiles/default); on a cluster SLURM counts GPUs.
resource_scopes:
    gpu="local",
    share="local",


localrules:
    all,
    tables,
    figures,
    architectures,
    efficiency,
    augmented,


onstart:
    owner.record(Path(RESULTS), workflow.configfiles)


onsuccess:
    for message in retrying.warnings(Path(RESULTS) / "logs"):
        print(message, file=sys.stderr)


onerror:
    for message in [*retrying.warnings(Path(RESULTS) / "logs"), *retrying.refusals()]:
        print(message, file=sys.stderr)


rule all:
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        # Photographs are the user's own: they are asked for by name.
        [getattr(rules, stage).input for stage in STAGES if stage != "own_pictures"],
