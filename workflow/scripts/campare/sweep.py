"""Sweeps: one augmentation at several strengths, each an arm of the study with a name of its own.

`sweep: {gaussian_blur: {sigma: [0.5, 2]}}` adds `gaussian_blur_sigma_0p5` and
`gaussian_blur_sigma_2` to `augmentations`. In a name, p is the decimal point, m the minus sign and
_to_ separates the ends of a range.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from campare import registry, user_code
from campare.errors import CampareError
from campare.messages import known, shown

# Names of augmentations: the pattern of the config schema.
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True)
class Arm:
    """An augmentation of a sweep: where it comes from, its value and its entry in a config."""

    base: str
    parameter: str
    value: Any
    name: str
    spec: dict[str, Any]

    @property
    def key(self) -> str:
        """The key of the config that lists the value."""
        return f"sweep.{self.base}.{self.parameter}"


def arms(sweep: Mapping[str, Any], augmentations: Mapping[str, Any]) -> Iterator[Arm]:
    """The arms of `sweep`, in its order.

    Parameters
    ----------
    sweep
        Name of an entry of `augmentations`, whose other parameters the arms have, or of the
        registry → parameter → list of values.
    augmentations
        The other augmentations of the study, as the config has them.

    Raises
    ------
    CampareError
        An augmentation or parameter is unknown, values are no list, or a name is taken or cannot be
        a name. Values are not checked.
    """
    taken = {name: f"augmentations.{name}" for name in augmentations}
    for base, parameters in sweep.items():
        if base not in augmentations and base not in registry.AUGMENTATIONS:
            names = [*augmentations, *registry.AUGMENTATIONS]
            raise CampareError(f"sweep.{base}: unknown augmentation; {known(base, names)}")
        if not isinstance(parameters, Mapping) or not parameters:
            raise CampareError(
                f"sweep.{base}: {shown(parameters)}; must be a mapping from a parameter to a list "
                f"of its values, such as {{{_example(base)}}}"
            )
        spec = augmentations.get(base) or {}
        for parameter, values in parameters.items():
            if not isinstance(values, list) or not values:
                raise CampareError(
                    f"sweep.{base}.{parameter}: {shown(values)}; must be a list of values"
                )
            for value in values:
                varied = _varied(base, spec, parameter, value)
                arm = Arm(base, parameter, value, f"{base}_{parameter}_{text(value)}", varied)
                _check_name(arm, taken)
                taken[arm.name] = f"{arm.key}: {shown(value)}"
                yield arm


def _example(base: str) -> str:
    entry = registry.AUGMENTATIONS.get(base)
    return f"{next(iter(entry.parameters))}: […]" if entry else "sigma: [0.5, 1, 2]"


def _varied(base: str, spec: Any, parameter: str, value: Any) -> dict[str, Any]:
    """An entry of `augmentations` with one parameter changed."""
    if not isinstance(spec, Mapping) or "compose" in spec:
        raise CampareError(
            f"sweep.{base}: augmentations.{base} is a composition; only a single transform has a "
            "parameter to vary"
        )
    for library in registry.LIBRARIES:
        if isinstance(spec.get(library), Mapping):
            return {library: {**spec[library], parameter: value}}
    use = spec.get("use", base)
    if user_code.is_reference(use):
        return {**spec, parameter: value}
    entry = registry.AUGMENTATIONS.get(use)
    if entry is None:  # `augmentations` itself is checked elsewhere
        return dict(spec)
    if parameter not in entry.parameters:
        raise CampareError(
            f"sweep.{base}.{parameter}: {use} has no such parameter; "
            f"{known(parameter, entry.parameters)}"
        )
    is_interval = entry.parameters[parameter].schema.get("type") == "array"
    if is_interval and not isinstance(value, list):
        value = [value, value]
    return {**spec, "use": use, parameter: value}


def _check_name(arm: Arm, taken: Mapping[str, str]) -> None:
    """Check that the name of an arm is possible and free."""
    if not NAME.fullmatch(arm.name):
        raise CampareError(
            f"{arm.key}: {shown(arm.value)} makes the name {arm.name!r}, which is part of file "
            "names; it must be small letters, digits and '_', 60 at most: list the value under a "
            "name of your own in augmentations instead"
        )
    if (owner := taken.get(arm.name)) is None:
        return
    if owner.startswith(f"{arm.key}:"):
        raise CampareError(f"{arm.key}: {shown(arm.value)} is given twice; remove one")
    raise CampareError(
        f"{arm.key}: {shown(arm.value)} makes the name {arm.name}, which {owner} has too; "
        "rename or remove one"
    )


def text(value: Any) -> str:
    """A value as part of a name: 0.5 → 0p5, −3 → m3, [0.1, 2] → 0p1_to_2."""
    if isinstance(value, list):
        return "_to_".join(map(text, value))
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        plain = f"{Decimal(str(value)):f}"
        plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
        return plain.replace(".", "p").replace("-", "m")
    return str(value)
