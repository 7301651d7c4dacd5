# Needs: data.h5, the baseline's store. For studies with `overlays`.
# Makes: figures/overlays/*, test images under their maps, green where the model is sure, else red.


rule plot_overlays:
    input:
        data=rules.load_data.output.data,
        store=BASELINE_STORE,
    output:
        figures("overlays", labelled("sheet", ["classes", "mistakes"])),
    log:
        f"{RESULTS}/logs/plot_overlays.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_overlays.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        **STUDY["overlays"],
        dpi=DPI,
        code=code("plot_overlays"),
    script:
        "../scripts/plot_overlays.py"


rule overlays:
    input:
        rules.plot_overlays.output,


localrules:
    overlays,
