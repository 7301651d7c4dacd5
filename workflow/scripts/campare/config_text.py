"""Checks of the text of a config file, and of `--config`, for mistakes that YAML accepts.

Snakemake reads config files itself. YAML keeps the last of two equal keys, and reads `010` as 8 and
`1:30` as 90. After reading, such mistakes can no longer be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from campare.errors import CampareError

_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_NOT_DECIMAL = re.compile(r"[-+]?0[0-9_bx]|.*:")


def check(path: str | Path) -> None:
    """Check the text of a config file.

    Raises
    ------
    CampareError
        A key is given twice, or a number is not written in decimal digits.
    """
    try:
        # Snakemake has read a file that is not YAML as JSON.
        top = yaml.compose(Path(path).read_text(encoding="utf-8"), yaml.SafeLoader)
    except yaml.YAMLError:
        return
    if fault := next(_faults(top), None):
        raise CampareError(f"{path}: {fault}")


def argument(entry: str) -> dict[str, Any]:
    """An entry of `--config`, KEY=VALUE, as a mapping, with the value read as in a config file.

    Snakemake itself reads nested values as text.

    Raises
    ------
    CampareError
        As in `check`.
    """
    key, _, text = entry.partition("=")
    try:
        top, value = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # ValueError: a date that does not exist
        top, value = None, text
    if fault := next(_faults(top, key), None):
        raise CampareError(f"--config: {fault}")
    return {key: value}


def _faults(top: yaml.Node | None, path: str = "") -> Iterator[str]:
    """Messages about mistakes below a node, in the order of the text."""
    waiting: list[tuple[str, Any]] = [(path, top)]
    seen: set[int] = set()  # an anchor may be referred to from within itself
    while waiting:
        where, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield from _twice(node, where)
            inner = [(_dotted(where, key.value), value) for key, value in node.value]
            waiting.extend(reversed(inner))
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend((f"{where}.{place}", item) for place, item in enumerate(node.value))
        elif node is not None and node.tag in _NUMBERS and _NOT_DECIMAL.match(node.value):
            yield (
                f"line {_line(node)}: {where}: YAML reads {node.value} as "
                f"{yaml.safe_load(node.value)}; write a number in decimal digits, or text in quotes"
            )


def _twice(node: yaml.MappingNode, where: str) -> Iterator[str]:
    """Messages about keys that a mapping has twice; the merge key `<<` is allowed."""
    first: dict[tuple[str, str], int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":merge"):
            continue
        if (typed := (key.tag, key.value)) in first:
            yield (
                f"line {_line(key)}: {_dotted(where, key.value)}: given twice, first in line "
                f"{first[typed]}, and the second would replace the first; remove one"
            )
        first.setdefault(typed, _line(key))


def _dotted(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
