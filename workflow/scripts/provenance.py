"""Digests of the code that a job runs, which only a change of the code itself changes.

Snakemake's own `code` trigger compares the modification time of a script: a fresh clone would
retrain everything, an edit of an imported module nothing. Here the `params` of a rule have a digest
of every function, class and constant of the package that its script reaches, without comments and
docstrings. An edit of one augmentation makes the models of that augmentation outdated, no others.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = "campare"  # its modules are named by their path within it: "train", "plots.style"
PREFIX = "code."  # of the names of params that are digests
TEXT = "text."  # of the names of params that are settings as text
# Not in digests: registry entries reach a job as params, so a new entry does not affect others.
OPAQUE = {"registry", "errors"}


@dataclass(frozen=True)
class Symbol:
    """A top-level definition.

    Attributes
    ----------
    digest
        Of its code.
    uses
        The (module, name) pairs that it uses.
    """

    digest: str
    uses: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Imports:
    """Imports of a module from the package, by local name.

    Attributes
    ----------
    modules
        Local name → dotted path of a module.
    names
        Local name → (module, name).
    """

    modules: dict[str, str] = field(default_factory=dict)
    names: dict[str, tuple[str, str]] = field(default_factory=dict)


@cache
def code(scripts: Path, script: str, *entries: str) -> list[str]:
    """The code that a script runs: a sorted list of "module.name digest".

    Parameters
    ----------
    scripts
        Folder of the scripts and the package.
    script
        Name of a script, without `.py`.
    entries
        Functions that the script finds through the registry, as "module:name".
    """
    package = scripts / PACKAGE
    body = ast.parse((scripts / f"{script}.py").read_text(encoding="utf-8"))
    reached: dict[str, str] = {script: _digest(body)}
    waiting = [*_uses(package, body, Imports()), *(tuple(entry.split(":")) for entry in entries)]
    while waiting:
        module, name = waiting.pop()
        if module in OPAQUE or f"{module}.{name}" in reached:
            continue
        symbols, imports = _symbols(package, module)
        if symbol := symbols.get(name):
            reached[f"{module}.{name}"] = symbol.digest
            waiting.extend(symbol.uses)
        elif name in imports.names:  # defined in another module
            waiting.append(imports.names[name])
    return [f"{name} {digest}" for name, digest in sorted(reached.items())]


def params(scripts: Path, script: str, *entries: str) -> dict[str, str]:
    """The digests of `code` as params of a rule, one each, so that a dry run names the changes."""
    return {f"{PREFIX}{line.split()[0]}": line for line in code(scripts, script, *entries)}


def params_by(
    scripts: Path,
    wildcard: str,
    entries: Mapping[str, Sequence[str]],
    script: str,
    *always: str,
) -> dict[str, Any]:
    """`params` with registry functions that depend on a wildcard.

    Parameters
    ----------
    scripts
        Folder of the scripts and the package.
    wildcard
        Name of the wildcard.
    entries
        Value of the wildcard → functions that the script finds through the registry.
    script
        Name of the script, without `.py`.
    always
        Such functions for every value.
    """
    of_value = {value: params(scripts, script, *always, *own) for value, own in entries.items()}
    names = sorted({name for each in of_value.values() for name in each})

    def of(name: str) -> Any:
        digests = {value: each.get(name, "") for value, each in of_value.items()}
        same = len(set(digests.values())) == 1
        return digests.popitem()[1] if same else lambda w: digests.get(w[wildcard], "")

    return {name: of(name) for name in names}


def named(**settings: Any) -> dict[str, Any]:
    """Settings as params of a rule, compared together with their names.

    Snakemake compares the values of a job's params as a set, so that it misses changes if two
    params swap their values or one takes the value of another. Therefore each setting is two
    params: text with its name, which is compared and printed by a dry run; and the value itself,
    given by a function with the argument `output`, since such params are not compared. A setting
    may be a function of the wildcards. Braces in text are not wildcards.
    """
    params: dict[str, Any] = {}
    for name, value in settings.items():
        function = value if callable(value) else _constant(value)
        text = _text(name, function)
        plain = not callable(value) and "{" not in text(None)  # faster in Snakemake than functions
        params |= {name: _uncompared(function), f"{TEXT}{name}": text(None) if plain else text}
    return params


def each(
    name: str, keys: Iterable[str], function: Callable[[Any], Any]
) -> dict[str, Callable[..., Any]]:
    """A mapping as a param of a rule, compared key by key like the settings of `named`.

    Parameters
    ----------
    name
        Name of the param.
    keys
        Keys of the mapping. If a job's mapping lacks one, its param is "".
    function
        Wildcards → mapping.
    """
    texts = {f"{TEXT}{key}": _text_of(key, function) for key in keys}
    return {name: _uncompared(function), **texts}


def digests(params: Mapping[str, Any]) -> list[str]:
    """The digests among the params of a job, as `code` lists them."""
    return sorted(value for name, value in params.items() if name.startswith(PREFIX) and value)


def settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """The params of a job that are settings: neither digests nor text of settings."""
    return {name: value for name, value in params.items() if not name.startswith((PREFIX, TEXT))}


# Functions, because Snakemake treats partial objects as values.
def _constant(value: Any) -> Callable[[Any], Any]:
    return lambda wildcards: value


def _uncompared(function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda wildcards, output: function(wildcards)


def _text(name: str, function: Callable[[Any], Any]) -> Callable[[Any], str]:
    return lambda wildcards: f"{name}: {function(wildcards)!r}"


def _text_of(key: str, function: Callable[[Any], Any]) -> Callable[[Any], str]:
    def text(wildcards: Any) -> str:
        mapping = function(wildcards)
        return f"{key}: {mapping[key]!r}" if key in mapping else ""

    return text


@cache
def _symbols(package: Path, module: str) -> tuple[dict[str, Symbol], Imports]:
    """The top-level definitions of a module, and its imports from the package."""
    path = _file(package, module)
    if path is None:
        raise FileNotFoundError(f"there is no module {PACKAGE}.{module}")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    defined: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for name in _names(statement):
            defined.setdefault(name, []).append(statement)
    importing = [s for s in tree.body if isinstance(s, ast.Import | ast.ImportFrom)]
    imports = _imports(package, ast.Module([*importing], []))
    known = Imports(imports.modules, {name: (module, name) for name in defined} | imports.names)
    symbols = {
        name: Symbol(
            _digest(*statements),
            frozenset(_uses(package, ast.Module(statements, []), known)) - {(module, name)},
        )
        for name, statements in defined.items()
    }
    return symbols, imports


def _file(package: Path, module: str) -> Path | None:
    """The file of a module, if it exists; "" is the package itself."""
    place = package.joinpath(*filter(None, module.split(".")))
    candidates = (place.with_suffix(".py") if module else None, place / "__init__.py")
    return next((path for path in candidates if path and path.is_file()), None)


def _names(statement: ast.stmt) -> Iterator[str]:
    """The names that a top-level statement defines."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _imports(package: Path, tree: ast.AST) -> Imports:
    """The imports from the package in the code below `tree`."""
    imports = Imports()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                path = _within(alias.name)
                if path is not None:
                    imports.modules[alias.asname or PACKAGE] = path if alias.asname else ""
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"a relative import, whose code would not count: {node.module}")
            module = _within(node.module or "")
            if module is None:
                continue
            for alias in node.names:
                if alias.name == "*":
                    raise ValueError(f"an import of *, whose code would not count: {node.module}")
                path = f"{module}.{alias.name}".removeprefix(".")
                if _file(package, path):
                    imports.modules[alias.asname or alias.name] = path
                else:
                    imports.names[alias.asname or alias.name] = (module, alias.name)
    return imports


def _within(module: str) -> str | None:
    """The path within the package: campare.plots.style → plots.style; None for other modules."""
    if not f"{module}.".startswith(f"{PACKAGE}."):
        return None
    return module.removeprefix(PACKAGE).removeprefix(".")


def _uses(package: Path, tree: ast.AST, known: Imports) -> set[tuple[str, str]]:
    """The (module, name) pairs of the package that the code below `tree` refers to."""
    inside = _imports(package, tree)
    modules, names = known.modules | inside.modules, known.names | inside.names

    def module(node: ast.AST) -> str | None:
        """The module that an expression such as `plots.style` or `style` refers to, if any."""
        if isinstance(node, ast.Name):
            return modules.get(node.id)
        if isinstance(node, ast.Attribute) and (parent := module(node.value)) is not None:
            path = f"{parent}.{node.attr}".removeprefix(".")
            return path if _file(package, path) else None
        return None

    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names:
            used.add(names[node.id])
        elif isinstance(node, ast.Attribute):
            owner = module(node.value)
            if owner is not None and module(node) is None:
                used.add((owner, node.attr))
    return used


def _digest(*nodes: ast.AST) -> str:
    """Digest of code without comments and docstrings."""
    text = "\n".join(ast.dump(_Plain().visit(node)) for node in nodes)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class _Plain(ast.NodeTransformer):
    """Removes docstrings."""

    def visit(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and body:
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = body[1:]
        return node
