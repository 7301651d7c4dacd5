"""Plan a study: what its tests can show, what it costs, and which design is the cheapest."""

from pathlib import Path

import pandas as pd

from campare import needs, planning, tables
from campare.atomic import replacing
from campare.design import BASELINE, Design
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    design = Design(params.study)
    folder = Path(snakemake.output.plan).parents[1]
    split = folder / ("split.csv" if design.one_split else f"split/{design.first_seed}.csv")
    pilot = folder / "pairs" / f"{BASELINE}.parquet"
    measured = {
        kind: {
            place.name: sum(seconds) / len(seconds) / 3600
            for place in sorted((folder / "benchmarks" / kind).glob("*"))
            if (seconds := [pd.read_csv(f, sep="\t")["s"].iloc[-1] for f in place.glob("*.tsv")])
        }
        for kind in planning.KINDS
    }
    plan = planning.table(
        design,
        planning.Costs(lambda of: needs.Needs(of, folder / "data.h5", split, params.gpu), measured),
        tables.read(pilot) if pilot.exists() else None,
        params.metric,
        params.seed,
    )
    tables.write(plan, snakemake.output.plan)
    kinds = [kind for kind, times in measured.items() if times]
    basis = planning.basis(kinds, needs.sizes(split) if split.exists() else None)
    with replacing(snakemake.output.text) as aside:
        aside.write_text(planning.text(plan, design, basis), encoding="utf-8")
