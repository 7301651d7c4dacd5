"""Make the explorer, a page with all maps, images and metrics of a study."""

from functools import partial
from pathlib import Path

from campare import (
    atomic,
    controls,
    data,
    display,
    explorer_build,
    explorer_page,
    store,
    tables,
)
from job import logged

with logged(snakemake.log[0]):
    params, needs = snakemake.params, snakemake.input
    models = [tuple(model) for model in params.models]
    compared = [tuple(model) for model in params.compared]
    payload = explorer_build.payload(
        study=params.study,
        variant=params.variant,
        variants=params.variants,
        metrics=params.metrics,
        predicts=params.predicts,
        imported=params.imported,
        dataset=display.of(data.read(needs.data), params.get("shown")),
        stores={m: partial(store.read, path) for m, path in zip(models, needs.stores, strict=True)},
        similarities=tables.Tables(
            dict(zip(compared, [*needs.similarities, *needs.matched], strict=True)),
            ["index", *params.metrics],
        ),
        localisation={
            m: tables.read(path) for m, path in zip(models, needs.localisation, strict=False)
        },
        regions=(partial(data.read_regions, needs.data) if needs.localisation else lambda _: None),
        pairs=tables.Tables(
            dict(zip(params.with_pairs, needs.pairs, strict=False)),
            explorer_build.pair_columns(params.summary),
            controls.REFERENCES,
        ),
        summary=tables.read(needs.summary) if needs.summary else None,
        folder=snakemake.output.explorer.removesuffix(f"{params.variant}explorer.html"),
        tables=params.tables,
    )
    page, shards = explorer_page.files(payload)
    folder = Path(snakemake.output.data)
    folder.mkdir(parents=True)
    for name, text in shards.items():
        (folder / name).write_text(text, encoding="ascii")
    with atomic.replacing(snakemake.output.explorer) as aside:
        aside.write_text(page, encoding="utf-8")
    size = (len(page.encode()) + sum(map(len, shards.values()))) / 1e6
    print(f"{payload.about['count']:,} images, {len(models)} models: {size:.1f} MB")
    if shards:
        print(f"data in {len(shards)} files in {folder}: keep the folder next to the page")
