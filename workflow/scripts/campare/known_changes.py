"""Known changes of networks, with which metrics are tested (stage `known_changes`).

Each change is an arm of networks with a name of its own, trained without augmentation. The rules
import this module: no torch or pandas here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from campare import registry
from campare.sweep import text

# The arm of networks that differ from the baselines by their seeds alone.
UNCHANGED = "unchanged"
LABEL_NOISE, TRAINING_IMAGES, CUE_SHARE, UNTRAINED_LAYERS = KINDS = (
    "label_noise",
    "training_images",
    "cue_share",
    "untrained_layers",
)
# Baselines, and networks of a change, that a test of a group needs to reach p ≤ 0.05.
FEWEST = 4


@dataclass(frozen=True)
class Change:
    """A known change of the networks of an arm.

    kind: one of `KINDS`, or "unchanged"; level: its value in the config; None if unchanged;
    strength: place among the levels of its kind, 1 for the first; 0 if unchanged.
    """

    kind: str
    level: float | int | None = None
    strength: int = 0

    @property
    def name(self) -> str:
        """The name of the arm in files: label_noise_0p2."""
        return self.kind if self.level is None else f"{self.kind}_{text(self.level)}"

    @property
    def of_data(self) -> bool:
        """Whether the training data are changed."""
        return self.kind in (LABEL_NOISE, TRAINING_IMAGES, CUE_SHARE)

    @property
    def trained(self) -> bool:
        """Whether its networks are trained; those with untrained layers are made from others."""
        return self.kind != UNTRAINED_LAYERS


def changes(study: Mapping[str, Any]) -> list[Change]:
    """The known changes of a complete study, without its sweeps; none without the stage."""
    if (stage := study.get("known_changes")) is None:
        return []
    return [
        Change(UNCHANGED),
        *(
            Change(kind, level, place)
            for kind in KINDS
            for place, level in enumerate(stage[kind], 1)
        ),
    ]


def lengthening(change: Change) -> float:
    """Factor of the epochs that gives as many steps as the baseline takes."""
    return 1 / float(change.level or 1) if change.kind == TRAINING_IMAGES else 1.0


def problems(study: Mapping[str, Any]) -> Iterator[str]:
    """Messages about a complete study whose stage `known_changes` is impossible."""
    if (stage := study.get("known_changes")) is None:
        return
    key = "known_changes"
    if any(part in study for part in ("trained", "maps")):
        yield f"{key}: trains networks, which a study with trained or maps does not; remove the key"
        return
    controls = study.get("controls", {})
    further = controls.get("baselines", {"seeds": []})["seeds"]
    baselines = [*(study["seeds"] if study["reference"] == "paired" else study["seeds"][:1])]
    baselines += further
    if len(baselines) < FEWEST:
        yield (
            f"{key}: compares networks with {FEWEST} or more baselines, and there are "
            f"{len(baselines)}; add controls.baselines.seeds"
        )
    taken = {*study["seeds"], *further, *(controls.get("matched_seeds") or [])}
    if shared := sorted(taken & {*stage["seeds"]}):
        yield (
            f"{key}.seeds: {', '.join(map(str, shared))} is a seed of other models of the study, "
            "whose randomness these networks would share; choose other seeds"
        )
    if not any(stage[kind] for kind in KINDS) and not study.get("sweep"):
        yield f"{key}: names no change; write {', '.join(KINDS[:-1])} or {KINDS[-1]}, or a sweep"
    own = (study["data"].get("parameters") or {}).get("cue_share", 0)
    if stage[CUE_SHARE] and not own:
        yield (
            f"{key}.{CUE_SHARE}: the test images need the cue; set data.name to shapes and "
            "data.parameters.cue_share to a value above 0, or remove the key"
        )
    # Kind → the level without a change, and the order of the levels in words.
    orders = {
        LABEL_NOISE: (0, "ascending order"),
        TRAINING_IMAGES: (1, "descending order"),
        CUE_SHARE: (own, f"the order of their distance from {own:g}"),
        UNTRAINED_LAYERS: (0, "ascending order"),
    }
    for kind, (origin, order) in orders.items():
        far = [abs(level - origin) for level in stage[kind]]
        if far != sorted(far):
            yield f"{key}.{kind}: {stage[kind]}; list the levels from weak to strong, in {order}"
    for base, parameters in study.get("sweep", {}).items():
        for parameter, arms in parameters.items():
            levels = [*arms.values()]
            # Weak may be a large value, as of a quality; the order of ranges or words is unknown.
            numbers = all(isinstance(level, int | float) for level in levels)
            if numbers and levels not in (sorted(levels), sorted(levels, reverse=True)):
                yield (
                    f"sweep.{base}.{parameter}: {levels}; for {key}, list the levels from weak to "
                    "strong, in ascending or descending order"
                )
    if own in stage[CUE_SHARE]:
        yield f"{key}.{CUE_SHARE}: {own:g} is that of the study itself; remove it"
    names = {change.name for change in changes(study)}
    reserved = {*study["augmentations"], *registry.RESERVED.values()}
    if same := sorted(names & reserved):
        yield f"augmentations.{same[0]}: {key} trains models of that name; choose another name"
