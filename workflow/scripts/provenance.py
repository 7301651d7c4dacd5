"""What code a job runs, as digests that only a real edit changes.

Snakemake's own `code` trigger looks at a script's modification time: a fresh clone would retrain
everything, an edit of an imported module nothing. Here a rule's `params` carry a digest of every
function, class and constant of the package that its script reaches, comments and docstrings left
out. Editing one augmentation makes the models of that augmentation stale, and no others.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = "campare"
PREFIX = "code."  # of the names of params that are digests
# What the registry says reaches a job through its params; a new entry changes no other.
OPAQUE = {"registry", "errors"}


@dataclass(frozen=True)
class Symbol:
    """A top-level definition: digest of its code, and the (module, name) pairs it uses."""

    digest: str
    uses: frozenset[tuple[str, str]]


@cache
def code(scripts: Path, script: str, *entries: str) -> list[str]:
    """What `script` runs: a sorted list of "module.name digest".

    Parameters
    ----------
    scripts
        Folder of the scripts and the package.
    script
        Name of a script, without `.py`.
    entries
        Functions that the script finds through the registry, as "module:name".
    """
    body = ast.parse((scripts / f"{script}.py").read_text(encoding="utf-8"))
    reached: dict[str, str] = {script: _digest(body)}
    waiting = [*_uses(body, {}), *(tuple(entry.split(":")) for entry in entries)]
    while waiting:
        module, name = waiting.pop()
        if module in OPAQUE or f"{module}.{name}" in reached:
            continue
        if symbol := _symbols(scripts / PACKAGE / f"{module}.py").get(name):
            reached[f"{module}.{name}"] = symbol.digest
            waiting.extend(symbol.uses)
    return [f"{name} {digest}" for name, digest in sorted(reached.items())]


def params(scripts: Path, script: str, *entries: str) -> dict[str, str]:
    """The same as params of a rule, one each, so that the dry run names those that changed."""
    return {f"{PREFIX}{line.split()[0]}": line for line in code(scripts, script, *entries)}


def params_by(
    scripts: Path,
    wildcard: str,
    entries: Mapping[str, Sequence[str]],
    script: str,
    *always: str,
) -> dict[str, Callable[[Any], str]]:
    """`params` where the entries depend on a wildcard: `entries` has them for each of its values."""
    found = {value: params(scripts, script, *always, *own) for value, own in entries.items()}

    def of(name: str) -> Callable[[Any], str]:
        return lambda wildcards: found.get(wildcards[wildcard], {}).get(name, "")

    return {name: of(name) for name in sorted({name for each in found.values() for name in each})}


def digests(given: Mapping[str, Any]) -> list[str]:
    """The digests among the params of a job, as `code` lists them."""
    return sorted(value for name, value in given.items() if name.startswith(PREFIX) and value)


def settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """The other params."""
    return {name: value for name, value in given.items() if not name.startswith(PREFIX)}


@cache
def _symbols(path: Path) -> dict[str, Symbol]:
    """The top-level definitions of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    defined: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for name in _names(statement):
            defined.setdefault(name, []).append(statement)
    local = {name: (path.stem, name) for name in defined}
    imports = [s for s in tree.body if isinstance(s, ast.Import | ast.ImportFrom)]
    return {
        name: Symbol(
            _digest(*statements),
            frozenset(_uses(ast.Module([*imports, *statements], []), local)) - {(path.stem, name)},
        )
        for name, statements in defined.items()
    }


def _names(statement: ast.stmt) -> Iterator[str]:
    """What a top-level statement defines."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _uses(tree: ast.AST, local: dict[str, tuple[str, str]]) -> set[tuple[str, str]]:
    """The (module, name) pairs of the package that the code below `tree` refers to."""
    modules: dict[str, str] = {}
    names = dict(local)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            modules |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            module = (node.module or "").removeprefix(f"{PACKAGE}.")
            names |= {alias.asname or alias.name: (module, alias.name) for alias in node.names}
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names:
            used.add(names[node.id])
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
        ):
            used.add((modules[node.value.id], node.attr))
    return used


def _digest(*nodes: ast.AST) -> str:
    """Digest of code without comments and docstrings."""
    text = "\n".join(ast.dump(_Plain().visit(node)) for node in nodes)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class _Plain(ast.NodeTransformer):
    """Drops docstrings."""

    def visit(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and body:
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = body[1:]
        return node
