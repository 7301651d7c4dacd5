# The workflow is in workflow/, where the Snakemake workflow catalog looks for it.
include: "workflow/Snakefile"


# `include` leaves it to this file what `snakemake` without a target makes.
workflow.default_target = "all"
