"""config/README.md and docs/tables.md say what the schema, registry and dictionary say."""

from __future__ import annotations

from pathlib import Path

from campare import columns, reference, registry

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "config" / "README.md"


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text() == reference.markdown(), "run `make docs`"


def test_page_names_every_entry_and_parameter() -> None:
    page = reference.markdown()
    for entries in (registry.AUGMENTATIONS, registry.DATASETS, registry.CAM_METHODS):
        for name, entry in entries.items():
            assert f"`{name}`" in page
            assert all(f"`{parameter}`" in page for parameter in entry.parameters)


def test_page_of_tables_is_up_to_date() -> None:
    assert (ROOT / "docs" / "tables.md").read_text() == reference.tables_markdown(), (
        "run `make docs`"
    )


def test_page_of_tables_has_a_line_for_every_column() -> None:
    page = reference.tables_markdown()
    for table in (*columns.TABLES.values(), *columns.FILES.values()):
        for name, column in table.columns.items():
            assert f"| `{name}` | {column.label} | {column.about}" in page
