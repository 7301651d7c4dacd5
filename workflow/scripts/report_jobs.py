"""Tables and figures: short jobs that differ only in their inputs, outputs and params.

Rule files declare them (`tabulate`, `draw`), and rules/report.smk makes a rule of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from snakemake.io import report

from campare import columns, labels, registry
from campare.design import Design
from importing import ROOT

CAPTIONS = ROOT / "workflow" / "report"
# Categories of the report, which shows them in alphabetical order.
ANSWER, FIGURES, TABLES, FILES = "Answer", "Figures", "Tables", "Tables as CSV files"
PER_VARIANT = "{variant}"
PRINTED = 300  # dots per inch of images in figures for a paper


@dataclass(frozen=True)
class ReportJob:
    """A rule that makes a table or figures.

    Attributes
    ----------
    name
        Name of the rule.
    target
        Rule whose input its outputs are; "" for none.
    needs, makes
        Inputs and outputs.
    params
        Settings of its script.
    compared
        Digests of its code, and the labels in its figures: params that cause a rebuild.
    script
        Name of the script, without `.py`.
    kind
        Kind of resources, see needs.Needs.
    folder
        "{variant}" if every variant of the maps has such outputs, else "".
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
    """The tables and figures of a study, as declared by rule files.

    Attributes
    ----------
    design
        The design of the study.
    code
        Digests of what a script runs (`provenance.params`).
    target
        The rule whose input the next declarations become: tables, figures, or a stage; "" for none.
    jobs
        The declared jobs.
    others
        (target, path) of files from other rules.
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
        **params: Any,
    ) -> None:
        """Declare the job `tabulate_<name>`.

        Parameters
        ----------
        name
            Name of the job.
        needs, makes
            Inputs and outputs.
        script
            Name of the script, if it is not that of the job.
        kind
            Kind of resources, see needs.Needs.
        params
            Settings of the script.
        """
        compared = self.code(script or f"tabulate_{name}")
        self._add(f"tabulate_{name}", script, needs, makes, kind, params, compared)

    def draw(
        self,
        name: str,
        needs: Mapping[str, Any],
        makes: Mapping[str, Any] | list[Any],
        *,
        script: str = "",
        metrics: Iterable[str] = (),
        entries: Iterable[str] = (),
        maps: str = "",
        ranked: bool = False,
        **params: Any,
    ) -> None:
        """Declare the job `plot_<name>`.

        If the maps of the study have variants, the figures of every variant say which it is.

        Parameters
        ----------
        name
            Name of the job.
        needs, makes
            Inputs and outputs.
        script
            Name of the script, if it is not that of the job.
        metrics
            Metrics whose labels are in the figures; a new label draws them again.
        entries
            Functions that the script finds through the registry, as "module:name".
        maps
            Whose maps the figures show, such as "Maps", if they are of the main variant only.
        ranked
            Whether figures show those of many augmentations that have the largest map shift.
        params
            Settings of the script.
        """
        figures = self.design.study["figures"]
        if isinstance(makes, list):
            makes = {"figures": makes}
        if ranked and self.design.ranks:
            folder = PER_VARIANT if _per_variant(makes) else ""
            needs = {**needs, "ranking": f"<results>/{folder}tables/summary.csv"}
        params |= {"dpi": figures["dpi"], "font": figures["font"]}
        params |= {"caption": self.caption(_per_variant(makes), maps)}
        compared = metric_labels(metrics) | self.code(script or f"plot_{name}", *entries)
        self._add(f"plot_{name}", script, needs, makes, "table", params, compared)

    def print_figures(self, names: Iterable[str], widths: Iterable[str]) -> None:
        """Declare jobs `print_<name>` that draw declared figures at the widths of a printed page.

        The scripts are those of the figures; every variant of the maps has its own.

        Parameters
        ----------
        names
            Figures as <kind>/<name>.
        widths
            Ends of the names of files, see plots.page.
        """
        chosen, ends = [*names], [*widths]
        suffix = self.design.study["figures"]["formats"][0]
        for job in [*self.jobs]:
            drawn = {
                key: [
                    f"<results>/paper/{job.folder}figures/{name}{end}.pdf"
                    for name in chosen
                    if f"<results>/{job.folder}figures/{name}.{suffix}" in paths_of({key: part})
                    for end in ends
                ]
                for key, part in job.makes.items()
            }
            if paths_of(drawn):
                params = {**job.params, "dpi": PRINTED, "caption": ""}
                name = f"print_{job.name.removeprefix('plot_')}"
                self.jobs.append(replace(job, name=name, target="", makes=drawn, params=params))

    def add(self, paths: Iterable[Any]) -> None:
        """Add files of other rules to the target."""
        self.others += [(self.target, str(path)) for path in paths]

    def _add(
        self,
        name: str,
        script: str,
        needs: Mapping[str, Any],
        makes: Mapping[str, Any],
        kind: str,
        params: Mapping[str, Any],
        compared: Mapping[str, str],
    ) -> None:
        self.jobs.append(
            ReportJob(
                name,
                self.target,
                needs,
                makes,
                params,
                compared,
                script or name,
                kind,
                PER_VARIANT if _per_variant(makes) else "",
            )
        )

    def caption(self, per_variant: bool, maps: str = "") -> Callable[[Any], str] | str:
        """Which maps figures are of, as a line or a function of the wildcards; "" if it is clear.

        Parameters
        ----------
        per_variant
            Whether there are figures of every variant; otherwise they are of the main one.
        maps
            See `draw`.
        """
        variants = self.design.variants
        if len(variants) == 1:
            return ""
        if per_variant:
            return lambda wildcards: f"Maps: {variants[wildcards.variant].title}"
        return f"{maps}: {variants[''].title}" if maps else ""

    def results(self, target: str) -> list[str]:
        """All files of a target, for every variant that has its own."""
        paths = [path for of, path in self.others if of == target]
        paths += [path for job in self.jobs if job.target == target for path in paths_of(job.makes)]
        return [
            path.replace(PER_VARIANT, folder)
            for path in paths
            for folder in (self.design.variants if PER_VARIANT in path else [""])
        ]

    def table(self, name: str, folder: str = "") -> Any:
        """A table, with its caption; the report has it as a file, its page is `readable`."""
        path = f"<results>/{folder}tables/{name}.csv"
        return self._reported(path, "tables", FILES, {"table": columns.TABLES[name].title})

    def tables(self, targets: Iterable[str]) -> list[str]:
        """Tables of the targets, for every variant that has its own."""
        paths = [path for target in targets for path in self.results(target)]
        return [path for path in paths if path.endswith(".csv") and "/tables/" in path]

    def pages_beside(self, variant: str, targets: Iterable[str]) -> list[str]:
        """Pages of the tables of a variant, one of `tables`, relative to its folder."""
        folder = f"<results>/{variant}"
        files = [path for path in self.tables(targets) if path.startswith(f"{folder}tables/")]
        return [path.removeprefix(folder).replace(".csv", ".html") for path in files]

    def readable(self, path: str) -> Any:
        """The page of a table, one of `tables`, with its caption."""
        file = Path(path).with_suffix(".html")
        folder = file.parents[1].relative_to("<results>").as_posix()
        shown = {"table": columns.TABLES[file.stem].title}
        if len(self.design.variants) > 1:
            shown["maps"] = self.design.variants["" if folder == "." else f"{folder}/"].title
        return self._reported(str(file), "tables", TABLES, shown)

    def figures(self, kind: str, label: str, names: Iterable[str], folder: str = "") -> list[Any]:
        """The files of one kind of figure; in the report, `label` has the figure's name."""
        shown = {name: {label: _label(kind, label, name)} for name in names}
        return self.labelled(kind, shown, folder)

    def labelled(
        self,
        kind: str,
        labelled: Mapping[str, Mapping[str, str]],
        folder: str = "",
        category: str = FIGURES,
    ) -> list[Any]:
        """The files of one kind of figure, with name → labels of the report.

        The report has one format of each figure.
        """
        formats: Sequence[str] = self.design.study["figures"]["formats"]
        subcategory = labels.FIGURES[kind] if category == FIGURES else None
        return [
            self._reported(path, kind, category, labelled[name], subcategory)
            if suffix == formats[0]
            else path
            for name in labelled
            for suffix in formats
            for path in [f"<results>/{folder}figures/{kind}/{name}.{suffix}"]
        ]

    def page(self, name: str, folder: str = PER_VARIANT) -> Any:
        """A page of HTML, in the report with the answer."""
        path = f"<results>/{folder}{name}.html"
        return self._reported(path, name, ANSWER, {"page": labels.title(name)})

    def _reported(
        self,
        path: str,
        caption: str,
        category: str,
        shown: Mapping[str, str],
        subcategory: str | None = None,
    ) -> Any:
        several = PER_VARIANT in path and len(self.design.variants) > 1

        def with_variant(wildcards: Any) -> dict[str, str]:
            return {**shown, "maps": self.design.variants[wildcards.variant].title}

        return report(
            path,
            caption=str(CAPTIONS / f"{caption}.rst"),  # rules lie in folders of two depths
            category=category,
            subcategory=subcategory,
            labels=with_variant if several else dict(shown),
        )


def _label(kind: str, label: str, name: str) -> str:
    """The label of a figure in the report: what distinguishes it from others of its kind.

    Parameters
    ----------
    label
        What the name is: metric, measure, augmentation, score, model, or anything else.
    """
    if label in ("metric", "measure"):
        return columns.metric_label(name)
    if label == "augmentation":
        return labels.control_title(name)
    if kind == "mosaics":
        return registry.MOSAICS[name]
    known = {
        "score": {**columns.CODES["score"], **registry.LOCALISATION},
        "model": labels.CLASSIFIERS,
    }
    return known.get(label, {}).get(name, labels.title(name))


def paths_of(makes: Mapping[str, Any]) -> list[str]:
    """All paths among outputs, each a path or a list of paths."""
    parts = ([part] if isinstance(part, str) else part for part in makes.values())
    return [str(path) for part in parts for path in part]


def _per_variant(makes: Mapping[str, Any]) -> bool:
    """Whether every variant of the maps has outputs of its own."""
    return any(PER_VARIANT in path for path in paths_of(makes))


def metric_labels(metrics: Iterable[str]) -> dict[str, str]:
    """Labels, values of identical maps and bounds of metrics in figures, as params."""
    entries = {name: registry.metric(name) for name in metrics}
    return {
        f"metric.{name}": f"{name}: {entry.label}, {entry.same}, {entry.bounds}"
        for name, entry in entries.items()
    }
