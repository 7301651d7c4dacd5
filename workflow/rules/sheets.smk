# Needs: data.h5, the baseline's store. For studies with `sheets`.
# Makes: figures/sheets/*, test images under their maps, green where the model is sure, else red.


rule plot_sheets:
    input:
        data=rules.load_data.output.data,
        store=BASELINE_STORE,
    output:
        figures("sheets", labelled("sheet", ["classes", "mistakes"])),
    log:
        f"{RESULTS}/logs/plot_sheets.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_sheets.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        **STUDY["sheets"],
        **DRAWING,
        code=code("plot_sheets"),
    script:
        "../scripts/plot_sheets.py"


rule sheets:
    input:
        rules.plot_sheets.output,


localrules:
    sheets,
