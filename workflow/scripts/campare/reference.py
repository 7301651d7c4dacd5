"""Generates config/README.md and docs/tables.md (`make docs`).

The former comes from the schema and the registry, the latter from the data dictionary.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from campare import columns, config, registry

HEAD = """\
# The config: every key, its default and its effect

Written by `make docs` from `workflow/schemas/config.schema.yaml` and
`workflow/scripts/campare/registry.py`; a test checks that it is up to date.

One file defines one study. `snakemake --cores all --configfile config/thesis.yaml` uses that file
instead of `config/config.yaml`; the two are never merged. The results are in `results/<study>/`.
A key that is misspelt, missing, given twice or out of range causes an error message with the key
and what is allowed, before the first job. Write whole numbers without a decimal point. For a single
run, `--config 'training={epochs: 2}'` sets keys as the file would. Two files with the same `study`
are refused, because each would overwrite the other's results.

In the tables below, a dot in a key means a level of indentation.
"""

AUGMENTATIONS = """\
## Augmentations

Each key of `augmentations` is one augmentation of the study; `{}` means its defaults:

```yaml
augmentations:
  affine: {}                                  # a name below, with its defaults
  gaussian_blur: {kernel_size: 3}             # one parameter changed
  blur_strong: {use: gaussian_blur, kernel_size: 9}          # another one of the same kind
  blur_then_crop: {compose: [gaussian_blur, {random_crop: {scale: [0.6, 1.0]}}]}   # in turn
```

Any transform of torchvision (v2) or, if it is installed, albumentations can be named by its class;
its parameters are keyword arguments:

```yaml
augmentations:
  my_elastic: {torchvision: {name: ElasticTransform, alpha: 40.0}}
  fog: {albumentations: {name: RandomFog, p: 1.0}}
  fog_then_flip: {compose: [{albumentations: {name: RandomFog, p: 1.0}}, horizontal_flip]}
```

They run image by image on the CPU, with a generator that is seeded for every image, so that results
do not depend on the batch; they depend on the version of the package. A transform must keep the
image's size and type. Those in the table below are faster: they work on whole batches.

Sizes in pixels refer to the image at the size at which it is augmented: see `augmenting.at`.
"""


FUNCTIONS = """\
Instead of any of these names, and of an augmentation's, a study may give a function of your own as
`file.py:function`, such as `architecture: mine.py:net`; the file is in the folder of the config
([docs/extending.md](../docs/extending.md)).
"""

DATASETS = """\
## Data sets with parameters

They are set under `data.parameters`, such as `parameters: {noise: 0.2}`.
"""

TABLES = """\
# The tables: every column and what it means

Written by `make docs` from `workflow/scripts/campare/columns.py`; a test checks that it is up to
date. The same entries are the headings and the meanings of the HTML tables, `tables/<name>.html`.

A study has those tables that its config asks for. CSV and Parquet files have all digits; "shown"
says how the HTML tables and the report show a value. Rows are in the order of the study unless
stated otherwise. An undefined value is an empty field; it is left out of every mean, and counted.
`tables/` of a variant of the maps is in `variants/<name>/`. Definitions of the map shift and its
tests: [evidence.md](evidence.md).
"""

METRICS = """\
There is also a column for each metric of the study, with its label in
[config/README.md](../config/README.md), and its further columns: `<metric>_area` and
`<metric>_area_baseline` (areas of the masks of an overlap rate), `<metric>_baseline` (a quantity of
one map, for the baseline's map).
"""


def markdown() -> str:
    """The text of config/README.md."""
    with_parameters = {name: entry for name, entry in registry.DATASETS.items() if entry.parameters}
    return "\n".join(
        [
            *(HEAD, *_study()),
            *(AUGMENTATIONS, *_parameters("augmentation", registry.AUGMENTATIONS)),
            *(DATASETS, *_parameters("data set", with_parameters)),
            *_registries(),
        ]
    )


def _study() -> Iterator[str]:
    yield "## Keys\n"
    yield "| key | takes | default | meaning |\n|---|---|---|---|"
    yield from _rows(config.schema(), "")
    yield ""


def _rows(part: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in part["properties"].items():
        name = f"{prefix}{key}"
        required = key in part.get("required", [])
        if value.get("properties"):
            default = "required" if required else _default(value) if value.get("default") else ""
            yield f"| **`{name}`** | | {default} | {value['description']} |"
            yield from _rows(value, f"{name}.")
        else:
            default = "required" if required else _default(value)
            if "minProperties" in part:  # one of several
                default = ""
            yield f"| `{name}` | {_takes(value)} | {default} | {value['description']} |"


def _default(value: Mapping[str, Any]) -> str:
    return f"`{json.dumps(value['default'])}`" if "default" in value else "not set"


def _takes(value: Mapping[str, Any]) -> str:
    """The values that a schema allows, as text."""
    if "$ref" in value:
        return f"[{value['$ref'].rsplit('/', 1)[-1].replace('_', ' ')}](#names)"
    if "enum" in value:
        return ", ".join(f"`{json.dumps(item)}`" for item in value["enum"])
    kinds = value.get("type", "any")
    if isinstance(kinds, list) and "array" in kinds:
        others = [kind for kind in kinds if kind != "array"]
        a_list = _takes({**value, "type": "array"})
        if others == ["null"]:
            return f"{a_list}; or null"
        return f"{_takes({**value, 'type': others})}; or {a_list}"
    kind = " or ".join(kinds) if isinstance(kinds, list) else kinds
    if kind == "array":
        size = " of two" if value.get("maxItems") == 2 else ""
        return f"list{size}: {_takes(value['items'])}"
    bounds = [
        f"{sign} {value[key]:,}"
        for key, sign in [
            ("minimum", "≥"),
            ("exclusiveMinimum", ">"),
            ("maximum", "≤"),
            ("exclusiveMaximum", "<"),
        ]
        if key in value
    ]
    return " ".join([kind, ", ".join(bounds)]).strip()


def _parameters(kind: str, entries: Mapping[str, registry.Entry]) -> Iterator[str]:
    """A table of the parameters of entries."""
    yield f"| {kind} | parameter | takes | default | meaning |\n|---|---|---|---|---|"
    for name, entry in entries.items():
        yield f"| **`{name}`** | | | | {entry.about} |"
        for key, parameter in entry.parameters.items():
            schema = {"default": parameter.default, **parameter.schema}
            yield f"| | `{key}` | {_takes(schema)} | {_default(schema)} | {parameter.about} |"
    yield ""


def _registries() -> Iterator[str]:
    yield "## Names\n"
    yield FUNCTIONS
    registries: dict[str, Mapping[str, registry.Entry]] = {
        "dataset": registry.DATASETS,
        "architecture": registry.ARCHITECTURES,
        "cam method": registry.CAM_METHODS,
        "metric": registry.METRICS,
    }
    for title, entries in registries.items():
        yield f"| {title} | what it is |\n|---|---|"
        for name, entry in entries.items():
            yield f"| `{name.replace('overlap', 'overlap_<Y>')}` | {entry.about} |"
        if title == "architecture":
            yield "| any other torchvision classifier | by torchvision's name, such as `vgg11_bn` |"
            yield "| `timm:<name>` | a classifier of timm, such as `timm:convnext_pico` |"
        if title == "metric":
            yield "| a metric of maps, with suffix `_native` | at the target layer's resolution |"
        yield ""


def tables_markdown() -> str:
    """The text of docs/tables.md."""
    parts = [TABLES, "## Tables in `tables/`\n"]
    for name, table in columns.TABLES.items():
        parts += _table(f"tables/{name}.csv", table)
    parts.append("## Tables of models, images and pairs of models\n")
    for table in columns.FILES.values():
        parts += _table(table.file, table)
    return "\n".join(parts)


def _table(file: str, table: columns.Table) -> Iterator[str]:
    """A table with its columns, a row each."""
    yield f"### {table.title}\n\n`{file}`. {table.about}\n"
    yield "| column | label | meaning | shown |\n|---|---|---|---|"
    for name, column in table.columns.items():
        form = columns.FORMS[column.form]
        shown = [form.about, *([column.shown_unit] if column.shown_unit else [])]
        interval = f" Interval: {', '.join(f'`{end}`' for end in column.ends)}." * bool(column.ends)
        yield f"| `{name}` | {column.label} | {column.about}{interval} | {', '.join(shown)} |"
    yield f"\n{METRICS}" if table.metrics else ""


if __name__ == "__main__":
    print(tables_markdown() if sys.argv[1:] == ["tables"] else markdown(), end="")
