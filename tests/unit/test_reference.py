"""config/README.md says what the schema and the registry say."""

from __future__ import annotations

from pathlib import Path

from campare import reference, registry

PAGE = Path(__file__).parents[2] / "config" / "README.md"


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text() == reference.markdown(), "run `make docs`"


def test_page_names_every_entry_and_parameter() -> None:
    page = reference.markdown()
    for entries in (registry.AUGMENTATIONS, registry.DATASETS, registry.CAM_METHODS):
        for name, entry in entries.items():
            assert f"`{name}`" in page
            assert all(f"`{parameter}`" in page for parameter in entry.parameters)
