"""Functions in the user's own Python files, which a study names as `file.py:function`.

The file lies in the folder of the config. Rules read it with `ast`, without running it, because it
may import torch, and every job parses the rules; only jobs that use a function import its file.

The folder is part of the state of a process (`use`), not of names: results must not depend on where
a project lies.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from importlib.machinery import PathFinder
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any, Literal, TypeVar

from campare.errors import CampareError
from campare.messages import known, shown

Function = TypeVar("Function", bound=Callable[..., Any])
Definition = ast.FunctionDef
# Kind of function → the arguments with which campare calls it, in this order; parameters of the
# study follow as keyword arguments.
ARGUMENTS = {
    "augmentation": ("batch", "draw"),
    "architecture": ("classes", "channels"),
    "CAM method": ("view",),
    "metric": ("pairs",),
    "data set": ("root",),
}
# A function's name that becomes part of names of files and columns.
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_REFERENCE = re.compile(r"([^:]+\.py):([^\W\d]\w*)")
# Annotation → the types of a value, and what it is called.
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "str": ((str,), "text"),
    "bool": ((bool,), "true or false"),
    **dict.fromkeys(("list", "List", "Sequence"), ((list,), "a list")),
}

_folder = Path()
_functions: tuple[tuple[str, str], ...] = ()
_modules: dict[Path, ModuleType] = {}
_importing = RLock()


def metric(
    *,
    label: str,
    same: float | None = 0.0,
    bounds: tuple[float | None, float | None] = (None, None),
    symmetric: bool = True,
    of: Literal["maps", "predictions"] = "maps",
) -> Callable[[Function], Function]:
    """Decorator of a metric in a file of the study: what figures and tables must know of it.

    The function is not changed. Values are written as literals, because they are read without
    running the file.

    Parameters
    ----------
    label
        Label of an axis, with unit.
    same
        Value for two identical maps; None for a quantity of one map, that of the augmented model.
    bounds
        Lower and upper bound, None if there is none.
    symmetric
        Whether the order of the two maps has no effect.
    of
        Whether it compares maps or the predictions of the two models.
    """
    return lambda function: function


# The files of the study in this process.


def use(folder: str | Path, functions: Iterable[Sequence[str]] = ()) -> None:
    """Set the folder of the user's files, and the functions that the study names.

    Parameters
    ----------
    folder
        The folder of the config.
    functions
        (kind, `file.py:function`) of each, with a key of `ARGUMENTS` as kind.
    """
    global _folder, _functions
    _folder = Path(folder)
    declare(functions)


def declare(functions: Iterable[Sequence[str]]) -> None:
    """Set the functions that the study names, in the folder that was set before."""
    global _functions
    _functions = tuple(
        (kind, reference) for kind, reference in dict.fromkeys(map(tuple, functions))
    )


def state() -> dict[str, Any] | None:
    """The arguments with which a job calls `use`; None if the study names no function."""
    if not _functions:
        return None
    return {"folder": str(_folder.resolve()), "functions": [list(each) for each in _functions]}


def functions(kind: str | None = None) -> list[str]:
    """The functions (of a kind) that the study names, as `file.py:function`."""
    return [reference for of, reference in _functions if kind in (None, of)]


def called(kind: str, name: str) -> str | None:
    """The function of a kind with this name that the study names, as `file.py:function`."""
    return next((own for of, own in _functions if of == kind and short(own) == name), None)


def path(file: str) -> Path:
    """The path of a file of the study."""
    return _folder / file


# Names.


def is_reference(name: Any) -> bool:
    """Whether a name is meant as `file.py:function`."""
    return isinstance(name, str) and re.search(r"\.py(:|$)", name) is not None


def split(reference: str) -> tuple[str, str]:
    """File and function of a reference.

    Raises
    ------
    CampareError
        It is not of the form `file.py:function`, or the path of the file is absolute.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        example = f"{reference.split('.py')[0]}.py:my_function"
        raise CampareError(f"{shown(reference)}: write file.py:function, such as {example}")
    if Path(match[1]).is_absolute() or match[1].startswith("~"):
        raise CampareError(
            f"{reference}: write the path relative to the folder of the config, so that results do "
            "not depend on where the project lies"
        )
    return match[1], match[2]


def short(name: str) -> str:
    """The name of the function of a reference; any other name itself."""
    return split(name)[1] if is_reference(name) else name


# Checks that do not run the file.


def check(kind: str, reference: str, parameters: Mapping[str, Any]) -> None:
    """Check that a function exists and can be called with these parameters.

    Parameters
    ----------
    kind
        A key of `ARGUMENTS`.
    reference
        `file.py:function`.
    parameters
        Parameters from the study, given as keyword arguments.

    Raises
    ------
    CampareError
        The file or function is missing; the file has a syntax error, or imports what cannot be
        followed; the arguments do not fit. Names the file, with the line if there is one.
    """
    file, name = split(reference)
    function = _definition(file, name)
    _check_imports(file)
    where = f"{_printed(file)}, line {function.lineno}"
    arguments = ARGUMENTS[kind]
    given = [*function.args.posonlyargs, *function.args.args]
    if len(given) < len(arguments) and not function.args.vararg:
        raise CampareError(
            f"{where}: {name} takes {len(given)} argument(s) by position; for {kind}s write "
            f"{name}({', '.join([*arguments, '…'])})"
        )
    annotations, required = _keywords(function, len(arguments))
    for parameter, value in parameters.items():
        if parameter not in annotations:
            if function.args.kwarg:
                continue
            listed = known(parameter, annotations) if annotations else "it has no parameters"
            raise CampareError(f"{where}: {name} has no parameter {parameter!r}; {listed}")
        _check_type(f"parameter {parameter} of {reference}", value, annotations[parameter])
    if missing := [parameter for parameter in required if parameter not in parameters]:
        raise CampareError(
            f"{where}: {name} needs the parameter {missing[0]!r}, which has no default; set it in "
            "the study, or give it a default"
        )


def metric_settings(reference: str) -> dict[str, Any]:
    """The arguments of the decorator `campare.metric` of a function.

    Raises
    ------
    CampareError
        There is no such decorator, or its arguments are not literals that `metric` takes.
    """
    file, name = split(reference)
    function = _definition(file, name)
    calls = [n for n in function.decorator_list if isinstance(n, ast.Call) and is_metric(n)]
    if not calls:
        raise CampareError(
            f"{_printed(file)}, line {function.lineno}: {name} does not say what figures need; "
            f'write @campare.metric(label="{name.replace("_", " ").capitalize()}", same=1.0, '
            "bounds=(0, 1)) above it"
        )
    call = calls[0]
    where = f"{_printed(file)}, line {call.lineno}: metric"
    settings = {}
    for keyword in call.keywords:
        try:
            settings[str(keyword.arg)] = ast.literal_eval(keyword.value)
        except ValueError:
            raise CampareError(
                f"{where}: {keyword.arg}={ast.unparse(keyword.value)}; write it as a number or "
                "text, because the file is not run to read it"
            ) from None
    _check_metric(where, len(call.args), settings)
    if "bounds" in settings:
        settings["bounds"] = tuple(settings["bounds"])
    return settings


def is_metric(node: ast.expr) -> bool:
    """Whether a decorator is `metric(…)` or `campare.metric(…)`."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("metric", "campare.metric")


def tree(file: str) -> ast.Module:
    """The syntax tree of a file of the study.

    Raises
    ------
    CampareError
        There is no such file, it cannot be read, or it has a syntax error.
    """
    place = path(file)
    try:
        return _parsed(place, place.stat().st_mtime_ns)
    except FileNotFoundError:
        raise CampareError(
            f"there is no file {_printed(file)}; paths are relative to {_folder.resolve()}, the "
            "folder of the config"
        ) from None
    except OSError as error:
        raise CampareError(f"{_printed(file)}: cannot be read ({error.strerror})") from None
    except SyntaxError as error:
        raise CampareError(f"{_printed(file)}, line {error.lineno}: {error.msg}") from None
    except ValueError as error:
        raise CampareError(f"{_printed(file)}: {error}") from None


def imported(file: str, module: str) -> str | None:
    """The file beside `file` that `import module` in it means; None for installed modules."""
    beside = Path(file).with_name(f"{module.split('.')[0]}.py")
    return str(beside) if path(str(beside)).is_file() else None


@lru_cache(maxsize=256)
def _parsed(place: Path, _: int) -> ast.Module:
    return ast.parse(place.read_bytes(), str(place))


def _definition(file: str, name: str) -> Definition:
    """The function of this name; of several, the last."""
    defined = {node.name: node for node in tree(file).body if isinstance(node, Definition)}
    if name not in defined:
        listed = known(name, defined) if defined else "it has none"
        raise CampareError(f"{_printed(file)}: has no function {name!r} (def …); {listed}")
    return defined[name]


def _keywords(function: Definition, skipped: int) -> tuple[dict[str, ast.expr | None], list[str]]:
    """The annotations of parameters after the first `skipped`, and the names without a default."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    without = len(positional) - len(arguments.defaults)
    own = [
        *((arg, place < without) for place, arg in enumerate(positional) if place >= skipped),
        *(
            (arg, default is None)
            for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        ),
    ]
    needed = [arg.arg for arg, required in own if required]
    return {arg.arg: arg.annotation for arg, _ in own}, needed


def _check_type(what: str, value: Any, annotation: ast.expr | None) -> None:
    """Check a value if the annotation is one of `_TYPES`, or such a type or None."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    options = [part.split("[")[0].strip() for part in _alternatives(annotation)]
    plain = [name for name in options if name != "None"]
    if not plain or not set(plain) <= _TYPES.keys() or (value is None and "None" in options):
        return
    for name in plain:
        types, _ = _TYPES[name]
        if isinstance(value, types) and (bool in types or not isinstance(value, bool)):
            return
    allowed = " or ".join(_TYPES[name][1] for name in plain)
    raise CampareError(f"{what}: {shown(value)}; must be {allowed}")


def _alternatives(annotation: ast.expr | None) -> list[str]:
    if annotation is None:
        return []
    if isinstance(annotation, ast.BinOp):
        return [*_alternatives(annotation.left), *_alternatives(annotation.right)]
    return [ast.unparse(annotation)]


def _check_metric(where: str, positional: int, settings: Mapping[str, Any]) -> None:
    def is_number(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool)

    bounds = settings.get("bounds", (None, None))
    tests = {
        "label": (isinstance(settings.get("label"), str), "text"),
        "same": (settings.get("same") is None or is_number(settings["same"]), "a number or None"),
        "bounds": (
            isinstance(bounds, tuple | list)
            and len(bounds) == 2
            and all(bound is None or is_number(bound) for bound in bounds),
            "(low, high), each a number or None",
        ),
        "symmetric": (isinstance(settings.get("symmetric", True), bool), "True or False"),
        "of": (settings.get("of", "maps") in ("maps", "predictions"), '"maps" or "predictions"'),
    }
    if positional:
        raise CampareError(f"{where}: name its arguments, such as label=…")
    for name in settings:
        if name not in tests:
            raise CampareError(f"{where}: unknown argument {name!r}; {known(name, tests)}")
    for name, (holds, allowed) in tests.items():
        if not holds:
            value = f"{settings[name]!r}; " if name in settings else "missing; "
            raise CampareError(f"{where}: {name}: {value}must be {allowed}")


def _check_imports(file: str, seen: frozenset[str] = frozenset()) -> None:
    """Check that the code of a file, and of the files beside it that it imports, can be followed.

    Raises
    ------
    CampareError
        An import is relative or of *, or of a folder, or two modules have the same name.
    """
    for line, module, names in _imports(tree(file)):
        where = f"{_printed(file)}, line {line}"
        if module.startswith("."):
            raise CampareError(f"{where}: a relative import; write `import {module.strip('.')}`")
        top = module.split(".")[0]
        beside = imported(file, module)
        if "*" in names and (beside or top == "campare"):
            raise CampareError(
                f"{where}: from {module} import *; name what is used, so that its code is followed"
            )
        folder = path(file).parent / top
        if beside and _elsewhere(top, folder.parent):
            raise CampareError(
                f"{where}: import {top}: an installed module has this name, too; rename "
                f"{_printed(beside)}"
            )
        if not beside and any(folder.glob("*.py")) and not _elsewhere(top, folder.parent):
            raise CampareError(
                f"{where}: import {top}: a folder, whose code is not followed; move the code into "
                f"files beside {Path(file).name}"
            )
        if beside and beside not in seen:
            _check_imports(beside, seen | {file, beside})


def _imports(top: ast.Module) -> Iterator[tuple[int, str, list[str]]]:
    """Line, module and imported names of every import, wherever it is."""
    for node in ast.walk(top):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, []
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or node.names[0].name)
            yield node.lineno, module, [alias.name for alias in node.names]


def _elsewhere(module: str, folder: Path) -> bool:
    """Whether Python finds a module outside this folder."""
    if module in sys.stdlib_module_names:
        return True
    others = [entry for entry in sys.path if Path(entry).resolve() != folder.resolve()]
    spec = PathFinder.find_spec(module, others)
    return spec is not None and spec.origin is not None  # None: a folder without __init__.py


def _printed(file: str) -> str:
    """The path of a file in messages: relative to the working directory if it lies below it."""
    place, here = path(file).resolve(), Path.cwd()
    return str(place.relative_to(here) if place.is_relative_to(here) else place)


# Running it.


def load(reference: str) -> Callable[..., Any]:
    """Import the file of a function, once per process, and return the function.

    An error within the function is a `CampareError` with the lines of the user's files.

    Raises
    ------
    CampareError
        The file cannot be imported, or does not define the function.
    """
    file, name = split(reference)
    _check_imports(file)
    module = _import(file)
    function = getattr(module, name, None)
    if not callable(function):
        raise CampareError(f"{_printed(file)}: has no function {name!r}")
    inner: Callable[..., Any] = function

    @functools.wraps(inner)
    def reporting(*args: Any, **kwargs: Any) -> Any:
        try:
            return inner(*args, **kwargs)
        except CampareError:
            raise
        except Exception as error:
            raise CampareError(_report(f"{reference} failed", file, error)) from error

    return reporting


def _import(file: str) -> ModuleType:
    place = path(file).absolute()
    with _importing:
        if place in _modules:
            return _modules[place]
        folder = str(place.parent)
        if folder not in sys.path:  # last: its files must not hide installed modules
            sys.path.append(folder)
        # The name is unique, so that a file may be called metrics.py or transforms.py.
        name = f"{place.stem}_{sha256(os.fsencode(place)).hexdigest()[:8]}"
        spec = importlib.util.spec_from_file_location(name, place)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look their module up
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            del sys.modules[name]
            message = _report(f"{_printed(file)} cannot be imported", file, error)
            raise CampareError(message) from error
        _modules[place] = module
        return module


def _report(what: str, file: str, error: BaseException) -> str:
    """An error with the lines of the user's files that led to it, the last one last."""
    folder = path(file).absolute().parent
    lines = [f"{what}:"]
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).parent == folder:
            lines.append(f"  {_printed(frame.filename)}, line {frame.lineno}, in {frame.name}")
            lines += [f"    {frame.line}"] if frame.line else []
    return "\n".join([*lines, *map(str.rstrip, traceback.format_exception_only(error))])
