"""What is wrong with a value of a study, in words: key, value, what is allowed, a remedy."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

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
    """One line of what a schema refuses: key, value, what is allowed, and what to write instead."""
    key = ".".join(str(part) for part in error.absolute_path)
    where = f"{prefix}{key}: " if key else (": " if prefix else "")
    value: Any = error.instance
    broken: Any = error.schema
    if error.validator == "additionalProperties":
        unknown = next(name for name in value if name not in broken["properties"])
        dotted = f"{key}.{unknown}" if key else unknown
        return f"{prefix}{dotted}: unknown key; {known(unknown, broken['properties'])}"
    if error.validator == "required":
        return f"{where}{error.message.replace('a required property', 'required, but missing')}"
    if error.validator == "enum":
        names = [_plain(item) for item in broken["enum"]]
        quotes = "; put it in quotes" if isinstance(value, bool) and _plain(value) in names else ""
        return f"{where}{shown(value)} is not allowed; {known(str(value), names)}{quotes}"
    if error.validator == "uniqueItems":
        twice = next(item for place, item in enumerate(value) if item in value[:place])
        return f"{where}{shown(twice)} stands there twice; take one out"
    given = "nothing stands there (null)" if value is None else shown(value)
    named = "as a name, " if "propertyNames" in error.absolute_schema_path else ""
    return f"{where}{given}; {named}must be {allowed(broken)}{_remedy(value, broken)}"


def odd(value: Any, path: str = "") -> str | None:
    """What no key of a study may hold, wherever it stands; None where all is well.

    Keys that YAML takes for something else than text, dates, numbers that are not finite or that no
    computer word holds, line breaks in text.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                return (
                    f"{f'{path}: ' if path else ''}the key {shown(key)} is {_kind(key)} to YAML; "
                    "a key is text: put it in quotes, or choose another"
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
        return f"{path}: {shown(value)} has a line break or another control character; take it out"
    elif not isinstance(value, int | float | str | None):
        return f"{path}: {shown(value)} is {_kind(value)} to YAML; put it in quotes, to be text"
    return None


def allowed(schema: Mapping[str, Any]) -> str:
    """What a schema allows; its own words, `says`, where it has some."""
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
    """Did you mean …? and everything known."""
    close = get_close_matches(name, names := list(names), n=1)
    meant = f"did you mean {close[0]!r}? " if close else ""
    return f"{meant}known: {', '.join(names)}"


def shown(value: Any) -> str:
    """A value as YAML has it, cut where it is long."""
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
    """The types that a schema names."""
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _kind(value: Any) -> str:
    """What YAML takes something for that should be text."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false, as a bare yes, no, on and off are,"
    if isinstance(value, int | float):
        return "a number"
    return "a date" if isinstance(value, datetime.date) else "no text"


def _remedy(value: Any, schema: Mapping[str, Any]) -> str:
    """What to write instead, where that can be told; begins with "; "."""
    kinds = _kinds(schema)
    if isinstance(value, str) and (number := _number(value, kinds)):
        return f"; YAML takes it for text: write {number}"
    if isinstance(value, float) and "integer" in kinds and value.is_integer():
        return f"; write {int(value)}"
    if "object" in kinds and value is None and not {"required", "minProperties"} & set(schema):
        return f"; write {{}} for {'none' if 'propertyNames' in schema else 'its defaults'}"
    if "propertyNames" in schema and isinstance(value, list) and all(map(_is_text, value)):
        return f"; write {{{', '.join(f'{name}: {{}}' for name in value)}}}"
    if "array" in kinds and not isinstance(value, list):
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
    whole = isinstance(value, int) and not isinstance(value, bool)
    return ("integer" in kinds and whole) or (
        "number" in kinds and (whole or isinstance(value, float))
    )


def _number(text: str, kinds: Sequence[str]) -> str | None:
    """The plain decimal number that a text such as 1e-3 stands for, where one may stand."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    whole = number.is_finite() and number == number.to_integral_value()
    if ("number" in kinds and number.is_finite()) or ("integer" in kinds and whole):
        return f"{number:f}"
    return None
