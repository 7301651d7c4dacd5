# Needs: nothing; it uses pairs/baseline.parquet and the times in benchmarks/, if they exist.
# Makes, on request (`snakemake --cores 1 plan`): plan.md, which is printed, and tables/plan.csv: smallest
# possible p-values, detectable map shifts and costs, before anything is trained (docs/planning.md).

REPORT.target = ""

tabulate(
    "plan",
    needs={},
    makes={"plan": table("plan"), "text": "<results>/plan.md"},
    study=STUDY,
    metric=STUDY["analysis"]["summary"] or next(iter(DESIGN.distances), ""),
    gpu=GPU,
    # These files are no inputs, because Snakemake would make them.
    used=lambda wildcards: stamps(FOLDER, ["split*", "pairs/baseline.parquet", "benchmarks/*/*/*"]),
    seed=RESAMPLING_SEED,
)


rule plan:
    input:
        "<results>/plan.md",
    localrule: True
    shell:
        "cat {input:q}"
