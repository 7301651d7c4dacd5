"""A study's text, judged where YAML is silent, and what `--config` adds to it.

Snakemake reads config files itself. YAML then keeps the last of two equal keys, and takes `010` for
8 and `1:30` for 90: no study means that, and once it is read nothing shows it.
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
    """Check the text of a config file, of which Snakemake has read what it holds.

    Raises
    ------
    CampareError
        A key stands there twice, or a number is not in decimal digits.
    """
    try:
        # What is no YAML was read as JSON.
        top = yaml.compose(Path(path).read_text(encoding="utf-8"), yaml.SafeLoader)
    except yaml.YAMLError:
        return
    if fault := next(_faults(top), None):
        raise CampareError(f"{path}: {fault}")


def argument(entry: str) -> dict[str, Any]:
    """What an entry of `--config` says, KEY=VALUE, with the value read as a config file's is.

    Snakemake takes all that is nested in it for text.

    Raises
    ------
    CampareError
        As of a file.
    """
    key, _, text = entry.partition("=")
    try:
        top, value = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # the latter of a day that no month has
        top, value = None, text
    if fault := next(_faults(top, key), None):
        raise CampareError(f"--config: {fault}")
    return {key: value}


def _faults(top: yaml.Node | None, path: str = "") -> Iterator[str]:
    """What is wrong below a node, in the order of the text."""
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
                f"line {_line(node)}: {where}: YAML takes {node.value} for "
                f"{yaml.safe_load(node.value)}; write the number that is meant in decimal digits, "
                "or text in quotes"
            )


def _twice(node: yaml.MappingNode, where: str) -> Iterator[str]:
    """The keys that stand in a mapping more than once; `<<` may."""
    first: dict[tuple[str, str], int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":merge"):
            continue
        if (known := (key.tag, key.value)) in first:
            yield (
                f"line {_line(key)}: {_dotted(where, key.value)}: stands there twice, first in "
                f"line {first[known]}, and one would replace the other; take one out"
            )
        first.setdefault(known, _line(key))


def _dotted(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
