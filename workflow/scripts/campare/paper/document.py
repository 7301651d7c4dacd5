"""A LaTeX document with the tables, figures and methods of a study, to look at them on pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from campare import registry, statistics
from campare.design import Design
from campare.labels import distance_label, in_sentence
from campare.paper import latex
from campare.paper.contents import WIDE, main_metric
from campare.paper.facts import Facts
from campare.plots import summary as summary_figure
from campare.plots import variants as variants_figure
from campare.plots.page import COLUMNS

ONE, TWO = COLUMNS
LEVEL = f"{100 * statistics.LEVEL:g} %"
TEMPLATE = r"""% Tables, figures and methods of a study, to look at them on pages or to copy from.
% pdflatex paper; bibtex paper; pdflatex paper; pdflatex paper
\documentclass[10pt,twocolumn]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{mathptmx}
\renewcommand{\ttdefault}{pcr}
\usepackage[a4paper,left=14mm,right=14mm,top=18mm,bottom=20mm,columnsep=4.2mm]{geometry}
\usepackage{textcomp,booktabs,graphicx,url,caption}
\captionsetup{font=small,labelfont=bf}
\setlength{\emergencystretch}{3em}
\renewcommand{\topfraction}{0.95}
\renewcommand{\dbltopfraction}{0.95}
\renewcommand{\floatpagefraction}{0.8}
\renewcommand{\dblfloatpagefraction}{0.8}
\setcounter{topnumber}{4}
\setcounter{dbltopnumber}{4}
\setcounter{totalnumber}{6}
\title{TITLE}
\author{}
\date{}
\begin{document}
\maketitle
\noindent This document shows the files of this folder. Parts in square brackets are left to the
authors.

\input{methods.tex}

\section*{Results}

Tables and figures are on the following pages.

TABLES

FIGURES

\clearpage
\section*{The same figures at the other width}

OTHERS

\clearpage
\bibliographystyle{plain}
\bibliography{references}
\end{document}
"""


def document(
    design: Design, tables: Sequence[str], figures: Mapping[str, str], captions: Mapping[str, str]
) -> str:
    """The document as LaTeX.

    Parameters
    ----------
    design
        The design of the study.
    tables
        Names of the tables, files in `tables/`.
    figures
        Figure as <kind>/<name> → path without width and suffix, relative to the document.
    captions
        Figure → caption.
    """
    ours, others = [], []
    for name, path in figures.items():
        wide = name.split("/")[0] in WIDE
        label = name.replace("/", "-")
        ours.append(_figure(path, TWO if wide else ONE, captions[name], label))
        others.append(_figure(path, ONE if wide else TWO, f"As figure {{{label}}}."))
    text = TEMPLATE.replace("TITLE", latex.escape(f"campare study {design.study['study']}"))
    text = text.replace("TABLES", "\n".join(f"\\input{{tables/{name}.tex}}" for name in tables))
    return text.replace("FIGURES", "\n".join(ours)).replace("OTHERS", "\n".join(others))


def _figure(path: str, width: str, caption: str, label: str = "") -> str:
    star = "*" if width == TWO else ""
    if label:
        written = f"\\caption{{{latex.escape(caption)}}}\n\\label{{fig:{label}}}\n"
    else:  # a reference, not text to be escaped
        name = caption.partition("{")[2].partition("}")[0]
        written = f"\\caption*{{As figure~\\ref{{fig:{name}}}.}}\n"
    return (
        f"\\begin{{figure{star}}}\n\\centering\n"
        f"\\includegraphics{{{path}{width}.pdf}}% drawn for this width: do not scale it\n"
        f"{written}\\end{{figure{star}}}\n"
    )


def methods(markdown: str) -> str:
    """The methods section as LaTeX."""
    return latex.from_markdown(markdown)


def captions(
    design: Design, facts: Facts, figures: Sequence[str], summary: pd.DataFrame | None
) -> dict[str, str]:
    """Figure → caption.

    Parameters
    ----------
    summary
        The table of the study's summary, if it has one.
    """
    return {name: _caption(name, design, facts, summary) for name in figures}


def _caption(name: str, design: Design, facts: Facts, summary: pd.DataFrame | None) -> str:
    kind, _, what = name.partition("/")
    if kind == "summary" and summary is not None:
        return (
            "Change of test accuracy and map shift of every augmentation. "
            + summary_figure.caption(summary, design.study["study"])
        )
    return CAPTIONS[kind](design, facts, what)


Caption = Callable[[Design, Facts, str], str]


def _boxplot(design: Design, facts: Facts, metric: str) -> str:
    entry = registry.metric(metric)
    value = "the mean over pairs of a network and a baseline of other seeds"
    if not design.has_floor:
        value = "the mean over networks"
    text = (
        f"{entry.label} of the maps of augmented networks and baselines, for "
        f"{facts.images['test']:,} test images; the value of an image is {value}. Boxes: quartiles "
        "and median; whiskers: central 95 % of the images; dots: the other images."
    )
    if entry.same is not None:
        text += " Dashed: identical maps."
    if design.has_floor:
        matched = " and step-matched controls" if design.matched else ""
        text += f" Grey, below the line: pairs of baselines (retraining variability){matched}."
    return text


def _overlays(design: Design, facts: Facts, _: str) -> str:
    folder = design.variants[""]
    made = "" if "maps" in design.study else f" ({folder.title})"
    return (
        f"Maps{made} of one network of each training set, that of the first seed, for the first "
        "test images of each class, not selected by their maps. ✓: correct prediction; ✗ and "
        "dashed border: incorrect. Each map is scaled to [0, 1]. Differences between networks "
        "include retraining variability."
    )


def _accuracy(design: Design, facts: Facts, metric: str) -> str:
    label = in_sentence(registry.metric(metric).label)
    return (
        f"Mean of the {label} over {facts.images['test']:,} test images against test accuracy, a "
        f"point per augmented network. Above: Pearson's r with Fisher's {LEVEL} interval."
    )


def _dose(design: Design, facts: Facts, name: str) -> str:
    sweep = next(s for s in design.sweeps if f"{s.base}_{s.parameter}" == name)
    return (
        f"Change of test accuracy and map shift against the parameter "
        f"{sweep.parameter.replace('_', ' ')} of {sweep.base.replace('_', ' ')}. Distance of maps "
        f"as in the summary. Lines: {LEVEL} intervals, of the map shift 90 %."
    )


SCORED = {
    "hybrid": "the CNN, the second network, and its features with an SVM",
    "masking": "the CNN and of SVMs fitted to all pixels, to pixels under masks, and to the masks",
}
CHANGE = (
    "At the right: change from the reference, of step-matched controls from the baselines, with "
    f"its {LEVEL} interval over networks and images; * p ≤ {statistics.ALPHA:g} after Holm's "
    "correction over augmentations."
)
CAPTIONS: Mapping[str, Caption] = {
    "performance": lambda design, facts, _: (
        "Test accuracy of every network (dots), with mean and standard deviation over networks; "
        f"{facts.images['test']:,} test images."
    ),
    "sets": lambda design, facts, _: (
        "Training images without and with each augmentation, with the random numbers of the first "
        "seed."
    ),
    "overlays": _overlays,
    "boxplot": _boxplot,
    "accuracy": _accuracy,
    "dose_response": _dose,
    "during_training": lambda design, facts, _: (
        "Test accuracy, distance of the maps of two networks, and map shift in per cent of the "
        "noise floor, after several epochs of training; the last point is that of the weights that "
        f"are kept. Lines: {LEVEL} intervals, of the map shift 90 %."
    ),
    "equal_accuracy": lambda design, facts, _: (
        "Test accuracy of every network (dots; grey: reference networks), with mean and standard "
        "deviation over networks; map shift in per cent of the noise floor, of all networks "
        "(circles) and at equal accuracy (diamonds), by regression over pairs of networks. "
        "Distance of maps as in the summary. Lines: 90 % intervals; filled: p ≤ "
        f"{statistics.ALPHA:g} after Holm's correction over augmentations."
    ),
    "correlation": lambda design, facts, metric: (
        f"Pearson's r of the {in_sentence(registry.metric(metric).label)} between augmentations "
        f"over {facts.images['test']:,} test images: whether two augmentations change the maps of "
        "the same images."
    ),
    "between": lambda design, facts, metric: (
        f"Map shift between augmentations (* p ≤ {statistics.ALPHA:g} after Holm's correction over "
        "pairs)."
    ),
    "localisation": lambda design, facts, score: (
        f"{registry.LOCALISATION[score]}, by region: mean ± standard deviation over networks; "
        "dots: networks. Dashed: mean of the baseline; dotted: chance; diamonds: maps of other "
        "images."
    ),
    "mosaics": lambda design, facts, score: (
        f"{registry.MOSAICS[score]}, in mosaics of test images: mean ± standard deviation over "
        "networks; dots: networks. Dashed: mean of the baseline; dotted: chance; diamonds: maps of "
        "other mosaics."
    ),
    "sanity": lambda design, facts, metric: (
        f"Sanity checks of the maps. Above: {registry.metric(metric).label} of a network's map and "
        "that of the same network after layers were given random weights, from the classifier "
        "down. Below: rise of the entropy of the map with all weights random, and similarity to "
        f"the map of another class. Means with {LEVEL} intervals over networks and images. Dashed "
        "lines and diamonds: the map of another image."
    ),
    "corruptions": lambda design, facts, name: {
        "accuracy": (
            "Test accuracy of every network (dots) on images, on their corruptions (mean over "
            "corruptions and severities), and the difference of the two, with mean ± standard "
            f"deviation over networks. Dashed: mean of the baselines. {CHANGE}"
        ),
        "change": (
            "Change of test accuracy under each corruption (mean over severities) from the "
            "reference, of step-matched controls from the baselines, in percentage points. Blue: a "
            "higher accuracy or a smaller loss by corruption. * "
            f"p ≤ {statistics.ALPHA:g} after Holm's correction over augmentations."
        ),
    }[name],
    "single_deletion": lambda design, facts, _: (
        "Spearman correlation, over the cells of a grid, of the network's map and the fall of the "
        "score without the cell, of networks fine-tuned on images with deleted cells (IDSDS) and "
        "as trained. Mean ± standard deviation over networks; dots: networks. Dashed: mean of the "
        "baseline."
    ),
    "map_exchange": lambda design, facts, measure: (
        f"{measure.capitalize()} scores of networks that exchange maps with a baseline: the "
        "difference with their own maps is the sum of those of the networks and of the maps. Own "
        "map: its advantage over the map of the other. Positive: more faithful. Mean ± standard "
        "deviation over pairs of networks; dots: pairs."
    ),
    "known_changes": lambda design, facts, _: (
        "Which metrics detect a known change of the networks: AUPRC of the separation of each "
        "group of networks from the baselines (bold: significant map shift, not corrected), and "
        "Spearman correlation over networks of the strength of a change and the distance from the "
        "baselines."
    ),
    "variants": lambda design, facts, _: variants_figure.caption(main_metric(design)),
    "calibration": lambda design, facts, _: (
        "Mean confidence (probability of the predicted class), expected calibration error (15 bins "
        "of equal width), Brier score (0 to 2) and negative log-likelihood of every network "
        f"(dots), with mean ± standard deviation over networks; {facts.images['test']:,} test "
        "images. Dashed: mean of the baselines."
    ),
    "representations": lambda design, facts, _: (
        "Shift of maps, features and predictions beyond retraining variability, each as a share of "
        "its own noise floor, the mean distance of two reference networks. Maps: "
        f"{distance_label(main_metric(design))}. Features: 1 − debiased CKA (circles), share of "
        "nearest neighbours that differ (triangles); predictions: Jensen-Shannon divergence "
        "(circles), share of images whose predicted classes differ (triangles). Lines: "
        f"{100 * (1 - 2 * statistics.ALPHA):g} % intervals; filled: p ≤ {statistics.ALPHA:g} after "
        "Holm's correction over augmentations. The scale of the predictions differs."
    ),
    "spurious": lambda design, facts, name: {
        "spurious": (
            "Reliance on the spurious region: accuracy, share of images classified as its class, "
            "and map energy on it. Mean ± standard deviation over networks; dots: networks; "
            "dotted: chance."
        ),
        "reliance": (
            "Reliance on every spurious cue: share of the images of other classes that are "
            "classified as the class of the cue, with the cue minus without. Lines: "
            f"{LEVEL} intervals of the difference from the baseline over networks and images."
        ),
    }[name],
    "faithfulness": lambda design, facts, name: {
        "curves": (
            "Probability of the explained class against the share of pixels removed or inserted in "
            "the order of the network's map, and of a random map (± standard deviation over "
            "networks)."
        ),
        "gain": (
            "Gain of the network's maps over random maps; positive: more faithful. Mean ± standard "
            "deviation over networks; dots: networks."
        ),
    }[name],
    "agreement": lambda design, facts, metric: (
        f"{registry.metric(metric).label} of the maps of the CNN and of the CNN with an SVM, of "
        f"the same image and of different images of a class, with {LEVEL} intervals over test "
        "images."
    ),
    "scores": lambda design, facts, stage: (
        f"Test accuracy of {SCORED[stage]}, with {LEVEL} intervals over "
        f"{facts.images['test']:,} test images."
    ),
    "occlusion": lambda design, facts, _: (
        f"Test accuracy against the side of the occluded square, by class, with {LEVEL} intervals "
        "over test images; grey: all classes."
    ),
}
