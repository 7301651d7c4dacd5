# Needs: a finished study.
# Makes: benchmarks/efficiency.csv, what every job used; only on demand, since no two runs agree.


rule efficiency:
    input:
        rules.tables.input,
        rules.figures.input,
    output:
        efficiency=f"{RESULTS}/benchmarks/efficiency.csv",
    log:
        f"{RESULTS}/logs/efficiency.log",
    script:
        "../scripts/tabulate_efficiency.py"
