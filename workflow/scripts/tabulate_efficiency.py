"""What every job of the study used, from Snakemake's benchmarks and the jobs' logs."""

from pathlib import Path

import pandas as pd

from campare import efficiency, tables
from job import logged

results = Path(snakemake.params.results)
with logged(snakemake.log[0]):
    files = sorted((results / "benchmarks").rglob("*.tsv"))
    names = [file.relative_to(results / "benchmarks").with_suffix("") for file in files]
    logs = [results / "logs" / f"{name}.log" for name in names]
    table = efficiency.table(
        (str(name), pd.read_csv(file, sep="\t").iloc[-1], log.read_text() if log.exists() else "")
        for name, file, log in zip(names, files, logs, strict=True)
    )
    tables.write(snakemake.output.efficiency, table)
    print(table.to_string(index=False, float_format="{:,.1f}".format, na_rep=""))
