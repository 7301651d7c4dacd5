"""Tabulate resource usage of all jobs of the study, from Snakemake's benchmarks and the logs."""

from pathlib import Path

import pandas as pd

from campare import efficiency, tables
from job import logged

benchmarks = Path(snakemake.output.efficiency).parent
with logged(snakemake.log[0]):
    files = sorted(benchmarks.rglob("*.tsv"))
    names = [file.relative_to(benchmarks).with_suffix("") for file in files]
    logs = [benchmarks.parent / "logs" / f"{name}.log" for name in names]
    table = efficiency.table(
        (
            str(name),
            pd.read_csv(file, sep="\t").iloc[-1],
            log.read_text(encoding="utf-8") if log.exists() else "",
        )
        for name, file, log in zip(names, files, logs, strict=True)
    )
    tables.write(table, snakemake.output.efficiency)
    print(table.to_string(index=False, float_format="{:,.1f}".format, na_rep=""))
