"""Error messages about values of a study: key, value, what is allowed, and what to write."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported by every job, through `campare.metric`
    from jsonschema import ValidationError

KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
LARGEST = 2**63 - 1
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def explain(error: ValidationError, prefix: str = "") -> str:
    """A message about a violation of a schema: key, value, what is allowed, what to write instead.

    Parameters
    ----------
    error
        A violation, as jsonschema reports it.
    prefix
        Put before the path of the key.
    """
    key = ".".join(str(part) for part in error.absolute_path)
    where = f"{prefix}{key}: " if key else (": " if prefix else "")
    value: Any = error.instance
    schema: Any = error.schema
    if error.validator == "additionalProperties":
        unknown = next(name for name in value if name not in schema["properties"])
        dotted = f"{key}.{unknown}" if key else unknown
        return f"{prefix}{dotted}: unknown key; {known(unknown, schema['properties'])}"
    if error.validator == "required":
        return f"{where}{error.message.replace('a required property', 'required, but missing')}"
    if error.validator == "enum":
        names = [_plain(item) for item in schema["enum"]]
        quotes = "; put it in quotes" if isinstance(value, bool) and _plain(value) in names else ""
        return f"{where}{shown(value)} is not allowed; {known(str(value), names)}{quotes}"
    if error.validator == "uniqueItems":
        twice = next(item for place, item in enumerate(value) if item in value[:place])
        return f"{where}{shown(twice)} is given twice; remove one"
    text = "empty (null)" if value is None else shown(value)
    named = "a name " if "propertyNames" in error.absolute_schema_path else ""
    return f"{where}{text}; {named}must be {allowed(schema)}{_remedy(value, schema)}"


def odd(value: Any, path: str = "") -> str | None:
    """A message about the first value that no key of a study may have; None if there is none.

    Such are keys that YAML does not read as text, dates, numbers that are not finite or do not fit
    into 64 bits, and control characters in text.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                where = f"{path}: " if path else ""
                return (
                    f"{where}YAML reads the key {shown(key)} as {_kind(key)}; a key must be text: "
                    "put it in quotes, or choose another"
                )
            if problem := odd(item, f"{path}.{key}" if path else key):
                return problem
    elif isinstance(value, list):
        for place, item in enumerate(value):
            if problem := odd(item, f"{path}.{place}"):
                return problem
    elif isinstance(value, float) and not math.isfinite(value):
        return f"{path}: {value}; must be a finite number"
    elif isinstance(value, int) and abs(value) > LARGEST:
        return f"{path}: {shown(value)}; must be a number of at most 18 digits"
    elif isinstance(value, str) and CONTROL.search(value):
        return f"{path}: {shown(value)} has a line break or another control character; remove it"
    elif not isinstance(value, int | float | str | None):
        return f"{path}: YAML reads {shown(value)} as {_kind(value)}; put it in quotes"
    return None


def allowed(schema: Mapping[str, Any]) -> str:
    """What a schema allows, in words; its key `says`, if it has one."""
    if "says" in schema:
        return str(schema["says"])
    if "enum" in schema:
        return f"one of {', '.join(map(_plain, schema['enum']))}"
    words = " or ".join(KINDS[kind] for kind in _kinds(schema) if kind != "null")
    if schema.get("minLength"):
        words += " that is not empty"
    if schema.get("minItems") == 2 == schema.get("maxItems"):
        words += " of two numbers, [low, high]"
    elif "items" in schema:
        words += " of one or more" if schema.get("minItems") else ""
        words += f", such as {shown(schema['default'])}" if schema.get("default") else ""
    if inner := schema.get("required"):
        words += f" with {', '.join(inner)}"
    elif "minProperties" in schema:
        several = "" if schema.get("maxProperties") == 1 else " or more"
        words += f" with one{several} of {', '.join(schema['properties'])}"
    bounds = ", ".join(f"{sign} {schema[key]:,}" for key, sign in BOUNDS.items() if key in schema)
    null = ", or null" if "null" in _kinds(schema) else ""
    return f"{words} {bounds}".rstrip() + null


def known(name: str, names: Iterable[str]) -> str:
    """A list of the known names, after the closest one as a suggestion if there is one."""
    close = get_close_matches(name, names := list(names), n=1)
    meant = f"did you mean {close[0]!r}? " if close else ""
    return f"{meant}known: {', '.join(names)}"


def shown(value: Any) -> str:
    """A value as YAML writes it, cut to 80 characters."""
    if isinstance(value, list):
        text = f"[{', '.join(map(shown, value))}]"
    elif isinstance(value, Mapping):
        text = f"{{{', '.join(f'{key}: {shown(item)}' for key, item in value.items())}}}"
    else:
        text = repr(value) if isinstance(value, str) else _plain(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _plain(value: Any) -> str:
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    """The types that a schema allows."""
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _kind(value: Any) -> str:
    """What YAML reads something as that should be text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false, as it does yes, no, on and off without quotes"
    if isinstance(value, int | float):
        return "a number"
    return "a date" if isinstance(value, datetime.date) else "something other than text"


def _remedy(value: Any, schema: Mapping[str, Any]) -> str:
    """What to write instead, beginning with "; ", or "" if that is not known."""
    kinds = _kinds(schema)
    if isinstance(value, str) and (number := _number(value, kinds)):
        return f"; YAML reads it as text: write {number}"
    if isinstance(value, float) and "integer" in kinds and value.is_integer():
        return f"; write {int(value)}"
    if "object" in kinds and value is None and not {"required", "minProperties"} & set(schema):
        return f"; write {{}} for {'none' if 'propertyNames' in schema else 'its defaults'}"
    if "propertyNames" in schema and isinstance(value, list) and all(map(_is_text, value)):
        return f"; write {{{', '.join(f'{name}: {{}}' for name in value)}}}"
    if "array" in kinds and not isinstance(value, list) and not _matches(value, kinds):
        item = schema["items"]
        if _is_text(value) if "type" not in item else _matches(value, _kinds(item)):
            return f"; write [{value}]"
    if "string" in kinds and isinstance(value, bool | int | float):
        return "; put it in quotes"
    return ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _matches(value: Any, kinds: Sequence[str]) -> bool:
    """Whether a value is a number of one of these kinds."""
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    return ("integer" in kinds and is_integer) or (
        "number" in kinds and (is_integer or isinstance(value, float))
    )


def _number(text: str, kinds: Sequence[str]) -> str | None:
    """A text such as 1e-3 as a plain decimal number; None if it is none of the kinds allowed."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    is_integer = number.is_finite() and number == number.to_integral_value()
    if ("number" in kinds and number.is_finite()) or ("integer" in kinds and is_integer):
        return f"{number:f}"
    return None
