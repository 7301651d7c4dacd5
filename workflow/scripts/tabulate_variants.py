"""Tabulate whether the map shift of each augmentation holds for other kinds of maps."""

from campare import tables, variants
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    summaries = {
        name: tables.read(path)
        for name, path in zip(params.titles, snakemake.input.summaries, strict=True)
    }
    shifts = variants.table(summaries, params.titles)
    agreement, ranking = variants.agreement(shifts), variants.ranking(shifts, params.seed)
    tables.write(shifts, snakemake.output.variants)
    tables.write(agreement, snakemake.output.agreement)
    tables.write(ranking, snakemake.output.ranking)
    print(agreement.to_string(index=False, float_format="{:.3f}".format))
    print(ranking.to_string(index=False, float_format="{:.3f}".format))
