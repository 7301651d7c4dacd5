"""Tables and figures: jobs of seconds, alike in all but what they need, make and are told.

Rule files declare them (`tabulate`, `draw`), and rules/report.smk makes one rule of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from snakemake.io import report

from campare import registry
from campare.design import Design
from importing import ROOT

CAPTIONS = ROOT / "workflow" / "report"
PER_VARIANT = "{variant}"


@dataclass(frozen=True)
class ReportJob:
    """A rule of this name: runs a script on what it needs, and is part of a target.

    `params` are settings of its script, `compared` digests of its code and labels in its figures.
    `kind` is that of needs.Needs. `folder` is "{variant}" for what each variant of the maps has.
    """

    name: str
    target: str
    needs: Mapping[str, Any]
    makes: Mapping[str, Any]
    params: Mapping[str, Any]
    compared: Mapping[str, str]
    script: str
    kind: str
    folder: str


@dataclass
class ReportJobs:
    """The tables and figures of a study, as the rule files declare them.

    target: the rule whose input they become: tables, figures, or a stage.
    """

    design: Design
    code: Callable[..., dict[str, str]]
    target: str = ""
    jobs: list[ReportJob] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)

    def tabulate(
        self,
        name: str,
        needs: Mapping[str, Any],
        makes: Mapping[str, Any],
        *,
        script: str = "",
        kind: str = "table",
        asked: bool = True,
        **params: Any,
    ) -> None:
        """Declare `tabulate_<name>`; `asked`: it belongs to the target."""
        compared = self.code(script or f"tabulate_{name}")
        self._add(f"tabulate_{name}", script, needs, makes, kind, asked, params, compared)

    def draw(
        self,
        name: str,
        needs: Mapping[str, Any],
        makes: Mapping[str, Any] | list[Any],
        *,
        script: str = "",
        metrics: Iterable[str] = (),
        entries: Iterable[str] = (),
        asked: bool = True,
        **params: Any,
    ) -> None:
        """Declare `plot_<name>`.

        metrics: those whose labels its figures show; a new label draws them again. entries: the
        functions that its script finds through the registry.
        """
        figures = self.design.study["figures"]
        params |= {"dpi": figures["dpi"], "font": figures["font"]}
        if isinstance(makes, list):
            makes = {"figures": makes}
        compared = _labels(metrics) | self.code(script or f"plot_{name}", *entries)
        self._add(f"plot_{name}", script, needs, makes, "table", asked, params, compared)

    def ask(self, paths: Iterable[Any]) -> None:
        """Let files of other rules belong to the target too."""
        self.others += [(self.target, str(path)) for path in paths]

    def _add(
        self,
        name: str,
        script: str,
        needs: Mapping[str, Any],
        makes: Mapping[str, Any],
        kind: str,
        asked: bool,
        params: Mapping[str, Any],
        compared: Mapping[str, str],
    ) -> None:
        per_variant = any(PER_VARIANT in path for path in _paths(makes))
        self.jobs.append(
            ReportJob(
                name,
                self.target if asked else "",
                needs,
                makes,
                params,
                compared,
                script or name,
                kind,
                PER_VARIANT if per_variant else "",
            )
        )

    def results(self, target: str) -> list[str]:
        """All files of a target: of every variant, where each has its own."""
        paths = [path for of, path in self.others if of == target]
        paths += [path for job in self.jobs if job.target == target for path in _paths(job.makes)]
        return [
            path.replace(PER_VARIANT, folder)
            for path in paths
            for folder in (self.design.variants if PER_VARIANT in path else [""])
        ]

    def table(self, name: str, folder: str = "") -> Any:
        """A table, with its caption."""
        return self._reported(
            f"<results>/{folder}tables/{name}.csv", "tables", "Tables", {"table": name}
        )

    def figures(self, kind: str, label: str, names: Iterable[str], folder: str = "") -> list[Any]:
        """The files of one kind of figure, each name under one label in the report."""
        return self.labelled(kind, {name: {label: name} for name in names}, folder)

    def labelled(
        self,
        kind: str,
        labels: Mapping[str, Mapping[str, str]],
        folder: str = "",
        category: str = "Figures",
    ) -> list[Any]:
        """The same of name → labels. The report takes one format of each."""
        formats: Sequence[str] = self.design.study["figures"]["formats"]
        return [
            self._reported(path, kind, category, labels[name], kind)
            if suffix == formats[0]
            else path
            for name in labels
            for suffix in formats
            for path in [f"<results>/{folder}figures/{kind}/{name}.{suffix}"]
        ]

    def _reported(
        self,
        path: str,
        caption: str,
        category: str,
        labels: Mapping[str, str],
        subcategory: str | None = None,
    ) -> Any:
        several = PER_VARIANT in path and len(self.design.variants) > 1

        def with_variant(wildcards: Any) -> dict[str, str]:
            name = wildcards.variant.removeprefix("variants/").rstrip("/")
            return {**labels, "variant": name or "main"}

        return report(
            path,
            caption=str(CAPTIONS / f"{caption}.rst"),  # rules lie in folders of two depths
            category=category,
            subcategory=subcategory,
            labels=with_variant if several else dict(labels),
        )


def _paths(makes: Mapping[str, Any]) -> list[str]:
    """All paths among outputs, each of which is a path or a list of them."""
    parts = ([part] if isinstance(part, str) else part for part in makes.values())
    return [str(path) for part in parts for path in part]


def _labels(metrics: Iterable[str]) -> dict[str, str]:
    """What figures say of metrics, as params."""
    entries = {name: registry.metric(name) for name in metrics}
    return {
        f"metric.{name}": f"{name}: {entry.label}, {entry.same}, {entry.bounds}"
        for name, entry in entries.items()
    }
