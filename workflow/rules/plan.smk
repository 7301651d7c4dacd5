# Needs: nothing; it uses pairs/baseline.parquet and the times in benchmarks/, if they exist.
# Makes, on request (`snakemake --cores 1 plan`): plan.md, which is printed, and tables/plan.csv: smallest
# possible p-values, detectable map shifts and costs, before anything is trained (docs/planning.md).


rule tabulate_plan:
    output:
        plan=table("plan"),
        text="<results>/plan.md",
    log:
        "<logs>/tabulate_plan.log",
    group:
        "report"
    resources:
        **sized("table"),
    params:
        **each("study", [*STUDY], lambda wildcards: STUDY),
        **named(
            metric=STUDY["analysis"]["summary"] or next(iter(DESIGN.distances), ""),
            gpu=GPU,
            # These files are no inputs, because Snakemake would make them.
            used=lambda wildcards: stamps(
                FOLDER, ["split*", "pairs/baseline.parquet", "benchmarks/*/*/*"]
            ),
            seed=RESAMPLING_SEED,
        ),
        **code("tabulate_plan"),
    script:
        "../scripts/tabulate_plan.py"


rule plan:
    input:
        rules.tabulate_plan.output.text,
    log:
        "<logs>/plan.log",
    localrule: True
    shell:
        "cat {input:q}"
