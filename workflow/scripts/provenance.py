"""Digests of the code that a job runs, which only a change of the code itself changes.

Snakemake's own `code` trigger compares the modification time of a script: a fresh clone would
retrain everything, an edit of an imported module nothing. Here the `params` of a rule have a digest
of every function, class and constant of the package that its script reaches, without comments and
docstrings. An edit of one augmentation makes the models of that augmentation outdated, no others.

The same holds for functions in files of the user (`campare.user_code`): such a module is named by
its file, relative to the folder of the config, so that digests do not depend on where that is.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from campare import user_code
from remembered import remembered

PACKAGE = "campare"  # its modules are named by their path within it: "train", "plots.style"
# Modules next to the scripts whose code counts, too. No result depends on the others, which have
# logs, messages, and checks before a training.
SHARED = {"network_job", "training_job"}
PREFIX = "code."  # of the names of params that are digests
TEXT = "text."  # of the names of params that are settings as text
# Not in digests: registry entries reach a job as params, so a new entry does not affect others.
# Nor is the code that finds functions of the user.
OPAQUE = {"registry", "errors", "user_code"}
# In place of a name: all that a file of the user does when it is imported, besides definitions; and
# all of its definitions.
BODY, ALL = "", "*"
# A param with what a job needs to find the user's files: neither digest nor setting.
USER_CODE = "user_code"


@dataclass(frozen=True)
class Symbol:
    """A top-level definition.

    Attributes
    ----------
    digest
        Of its code; "" if it has none of its own.
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
        Local name → dotted path of a module, or a file of the user.
    names
        Local name → (module, name).
    """

    modules: dict[str, str] = field(default_factory=dict)
    names: dict[str, tuple[str, str]] = field(default_factory=dict)


@cache
def code(scripts: Path, script: str, *entries: str) -> list[str]:
    """The code that a script runs: a sorted list of "module.name digest", "file.py:name digest".

    Parameters
    ----------
    scripts
        Folder of the scripts and the package.
    script
        Name of a script, without `.py`.
    entries
        Functions that the script finds through the registry, as "module:name", or "file.py:name"
        for those of the user.
    """
    package = scripts / PACKAGE
    body = _body(scripts, script)
    reached: dict[str, str] = {script: body.digest}
    waiting = [*body.uses, *(tuple(entry.split(":")) for entry in entries)]
    while waiting:
        module, name = waiting.pop()
        label = f"{module}{':' if _is_file(module) else '.'}{name}".removesuffix(":")
        if module in OPAQUE or label in reached:
            continue
        symbols, imports = _symbols(package, module)
        if symbol := symbols.get(name):
            reached[label] = symbol.digest
            waiting.extend(symbol.uses)
        elif name in imports.names:  # defined in another module
            waiting.append(imports.names[name])
    return [f"{name} {digest}" for name, digest in sorted(reached.items()) if digest]


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


def user_files(state: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a job needs to find the user's files (`user_code.state`), as a param; {} for None.

    It is not compared, because results do not depend on the folder.
    """
    return {USER_CODE: _uncompared(_constant(state))} if state else {}


def digests(params: Mapping[str, Any]) -> list[str]:
    """The digests among the params of a job, as `code` lists them."""
    return sorted(value for name, value in params.items() if name.startswith(PREFIX) and value)


def settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """The params of a job that are settings: neither digests nor text of settings."""
    return {
        name: value
        for name, value in params.items()
        if not name.startswith((PREFIX, TEXT)) and name != USER_CODE
    }


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


def _body(scripts: Path, script: str) -> Symbol:
    """All of a script."""
    package, text = scripts / PACKAGE, (scripts / f"{script}.py").read_text(encoding="utf-8")

    def read() -> list[Any]:
        body = ast.parse(text)
        digest = _digest(body)
        return [digest, sorted(_uses(package, body, Imports()))]

    return _symbol(remembered(script, _key(package, script, text), read))


@cache
def _symbols(package: Path, module: str) -> tuple[dict[str, Symbol], Imports]:
    """The top-level definitions of a module, and its imports from the package."""
    if _is_file(module):
        return _symbols_of_file(package, module)
    path = _file(package, module)
    if path is None:
        raise FileNotFoundError(f"there is no module {PACKAGE}.{module}")
    text = path.read_text(encoding="utf-8")

    def read() -> list[Any]:
        symbols, imports = _parsed(package, module, text)
        listed = {name: [each.digest, sorted(each.uses)] for name, each in symbols.items()}
        return [listed, imports.modules, imports.names]

    name = f"{PACKAGE}.{module}".removesuffix(".")
    listed, modules, names = remembered(name, _key(package, module, text), read)
    return (
        {name: _symbol(parts) for name, parts in listed.items()},
        Imports(modules, {name: (module, other) for name, (module, other) in names.items()}),
    )


def _symbol(parts: Sequence[Any]) -> Symbol:
    digest, uses = parts
    return Symbol(digest, frozenset((module, name) for module, name in uses))


def _key(package: Path, name: str, text: str) -> str:
    """Digest of all that the symbols in a text depend on, besides a job's own files."""
    return hashlib.sha256("\0".join([name, text, _circumstances(package)]).encode()).hexdigest()


@cache
def _circumstances(package: Path) -> str:
    """What reads the code, and names of modules, which `from campare import …` depends on."""
    modules = sorted(path.relative_to(package).as_posix() for path in package.rglob("*.py"))
    return "\n".join([sys.version, Path(__file__).read_text(encoding="utf-8"), *modules])


def _parsed(package: Path, module: str, text: str) -> tuple[dict[str, Symbol], Imports]:
    tree = ast.parse(text)
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


def _is_file(module: str) -> bool:
    """Whether a module is a file of the user."""
    return module.endswith(".py")


def _symbols_of_file(package: Path, file: str) -> tuple[dict[str, Symbol], Imports]:
    """The definitions of a file of the user, each of which uses what the import of the file does.

    Statements other than definitions, such as `TABLE.append(1)`, may change what a function does,
    and definitions within `try` and `if` are not known by name; so these count for every function.
    """
    tree = copy.deepcopy(user_code.tree(file))  # `_digest` changes it
    defined: dict[str, list[ast.stmt]] = {}
    rest: list[ast.stmt] = []
    importing: list[ast.stmt] = []
    for statement in tree.body:
        names = list(_names(statement)) if _only_defines(statement) else []
        for name in names:
            defined.setdefault(name, []).append(statement)
        if isinstance(statement, ast.FunctionDef):
            statement.decorator_list = list(map(_without_labels, statement.decorator_list))
        if isinstance(statement, ast.Import | ast.ImportFrom):
            importing.append(statement)
        elif not names and not _is_docstring(statement) and not _is_main(statement):
            rest.append(statement)
    imports = _imports(package, ast.Module([*importing, *rest], []), file)
    known = Imports(imports.modules, {name: (file, name) for name in defined} | imports.names)
    files = {*imports.modules.values(), *(module for module, _ in imports.names.values())}
    symbols = {
        name: Symbol(
            _digest(*statements),
            frozenset(_uses(package, ast.Module(statements, []), known, file)) - {(file, name)}
            | {(file, BODY)},
        )
        for name, statements in defined.items()
    }
    symbols[ALL] = Symbol("", frozenset((file, name) for name in (*defined, BODY)))
    symbols[BODY] = Symbol(
        _digest(*rest) if rest else "",
        frozenset(_uses(package, ast.Module(rest, []), known, file))
        | {(other, BODY) for other in files if _is_file(other) and other != file},
    )
    return symbols, imports


def _only_defines(statement: ast.stmt) -> bool:
    """Whether a statement changes nothing but its own names, unlike `TABLE[0] = 1`."""
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    inside = [node for target in filter(None, targets) for node in ast.walk(target)]
    return not any(isinstance(node, ast.Attribute | ast.Subscript) for node in inside)


def _without_labels(decorator: ast.expr) -> ast.expr:
    """`campare.metric(…)` without label and bounds, which only figures use, as `metric(…)`."""
    if not isinstance(decorator, ast.Call) or not user_code.is_metric(decorator):
        return decorator
    kept = [k for k in decorator.keywords if k.arg not in ("label", "bounds")]
    return ast.Call(ast.Constant("metric"), [], kept)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_main(statement: ast.stmt) -> bool:
    """Whether a statement begins `if __name__ == …`, so that an import does not run it."""
    return isinstance(statement, ast.If) and ast.unparse(statement.test).startswith("__name__ ==")


def _file(package: Path, module: str) -> Path | None:
    """The file of a module of the package or `SHARED`, if it exists; "" is the package itself."""
    if module in SHARED:
        return package.parent / f"{module}.py"
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


def _imports(package: Path, tree: ast.AST, file: str = "") -> Imports:
    """The imports from the package, and of files beside `file`, in the code below `tree`."""
    imports = Imports()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if other := file and user_code.imported(file, alias.name):
                    imports.modules[alias.asname or alias.name] = other
                path = _within(alias.name)
                if path is not None:
                    imports.modules[alias.asname or PACKAGE] = path if alias.asname else ""
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"a relative import, whose code would not count: {node.module}")
            if other := file and user_code.imported(file, node.module or ""):
                imports.names.update({a.asname or a.name: (other, a.name) for a in node.names})
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
    """The path within the package, campare.plots.style → plots.style; None if no code counts."""
    if module in SHARED:
        return module
    if not f"{module}.".startswith(f"{PACKAGE}."):
        return None
    return module.removeprefix(PACKAGE).removeprefix(".")


def _uses(package: Path, tree: ast.AST, known: Imports, file: str = "") -> set[tuple[str, str]]:
    """The (module, name) pairs of the package that the code below `tree` refers to.

    In a file of the user, also those of the files beside it; all of a file if the module itself is
    used, as in `getattr(helpers, name)`.
    """
    inside = _imports(package, tree, file)
    modules, names = known.modules | inside.modules, known.names | inside.names

    def module(node: ast.AST) -> str | None:
        """The module that an expression such as `plots.style` or `style` refers to, if any."""
        if isinstance(node, ast.Name):
            return modules.get(node.id)
        if isinstance(node, ast.Attribute) and (parent := module(node.value)) is not None:
            path = f"{parent}.{node.attr}".removeprefix(".")
            return path if not _is_file(parent) and _file(package, path) else None
        return None

    used = {(other, BODY) for other in inside.modules.values() if _is_file(other)}
    owners = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and _is_file(modules.get(node.id, "")):
            used |= {(modules[node.id], ALL)} if id(node) not in owners else set()
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
