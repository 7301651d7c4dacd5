"""The data dictionary: label, unit, meaning and format of every column of every table.

`TABLES` has the tables of `tables/`, `FILES` the tables of models, images and pairs of models. The
HTML tables of the report, docs/tables.md and tests use it:

    column("summary", "shift").label      # 'Map shift E'
    text(column("summary", "shift"), 0.0405913)      # '+0.041'
    text(column("summary", "augmentation"), "color_jitter")      # 'Color jitter'

A column that is named after a metric, such as `overlap_20` or `overlap_20_area`, is described by
the registry. The ends of an interval are columns of their own, which name their estimate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from campare import labels, registry
from campare.errors import CampareError

MISSING = "–"  # in the place of an undefined value


@dataclass(frozen=True)
class Form:
    """How the values of a column are shown.

    Attributes
    ----------
    about
        In words, for docs/tables.md.
    unit
        Unit of the values shown; "" for none.
    scale
        By which the values of the file are multiplied.
    decimals
        Number of decimals; None: the value is text.
    signed
        Whether positive values have a sign.
    """

    about: str
    unit: str = ""
    scale: float = 1.0
    decimals: int | None = None
    signed: bool = False


FORMS = {
    "text": Form("text"),
    "augmentation": Form("name of an augmentation, as its label"),
    "augmentations": Form("names of augmentations, as their labels"),
    "metric": Form("name of a metric, as its label"),
    "metrics": Form("names of metrics, as their labels"),
    "class": Form("name of a class"),
    "code": Form("one of several codes, as its label"),
    "count": Form("whole number", decimals=0),
    "position": Form("whole number, without separator of thousands", decimals=0),
    "number": Form("three decimals", decimals=3),
    "signed": Form("three decimals, with sign", decimals=3, signed=True),
    "percent": Form("× 100, one decimal", "%", 100.0, 1),
    "change": Form("× 100, one decimal, with sign", "%", 100.0, 1, signed=True),
    "points": Form("× 100, one decimal, with sign", "percentage points", 100.0, 1, signed=True),
    "p": Form("three decimals", decimals=3),
    "decimal": Form("one decimal", decimals=1),
}


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    label
        Heading.
    about
        Meaning, one sentence.
    form
        How values are shown, a key of `FORMS`.
    unit
        Unit of the values in the file; "" for none.
    codes
        Kind of the codes of a column of the form "code", a key of `CODES`.
    ends
        Columns with the ends of its interval; () for none.
    level
        Of that interval, such as "95 %".
    end
        "lower" or "upper" if this column is an end of an interval, else "".
    """

    label: str
    about: str
    form: str = "number"
    unit: str = ""
    codes: str = ""
    ends: tuple[str, str] | tuple[()] = ()
    level: str = ""
    end: str = ""

    @property
    def shown_unit(self) -> str:
        """The unit of the values as they are shown."""
        return FORMS[self.form].unit or self.unit

    @property
    def numeric(self) -> bool:
        """Whether values are numbers."""
        return FORMS[self.form].decimals is not None


@dataclass(frozen=True)
class Table:
    """A table of a study.

    Attributes
    ----------
    title
        Heading.
    about
        What a row is, and over what the intervals and tests are.
    columns
        Name → column, in the order of the file.
    metrics
        Whether there is also a column for each metric of the study, and its further columns.
    sort
        Columns by which rows are sorted for reading, "-" before those in descending order; other
        rows, and equal ones, keep the order of the file, which is that of the study.
    first
        Columns that are shown first for reading.
    file
        Path in the folder of the study; "" for `tables/<name>.csv`.
    """

    title: str
    about: str
    columns: Mapping[str, Column]
    metrics: bool = False
    sort: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    file: str = ""


def column(table: str, name: str) -> Column:
    """A column by the names of its table and its own.

    Raises
    ------
    CampareError
        The dictionary has no such table or column.
    """
    known = {**TABLES, **FILES}
    if table not in known:
        raise CampareError(f"{table}: no table of campare.columns has this name; add it there")
    if name in known[table].columns:
        return known[table].columns[name]
    if known[table].metrics and (found := metric_column(name)):
        return found
    raise CampareError(f"{table}.{name}: campare.columns has no such column; add it there")


def metric_column(name: str) -> Column | None:
    """The column of a metric, or one of its further columns; None if it is neither."""
    for suffix, label, about, form in _FURTHER:
        try:
            entry = registry.metric(name.removesuffix(suffix))
        except CampareError:
            continue
        if name.endswith(suffix):
            meaning = about.format(
                metric=labels.in_sentence(entry.label),
                about=entry.about,
                baseline=entry.about.replace("augmented model", "baseline"),
            )
            return Column(label.format(metric=entry.label), meaning, form)
    return None


# Suffix, label, meaning and form of the columns of a metric; the empty suffix last.
_FURTHER = (
    (
        "_area_baseline",
        "{metric}: area, baseline",
        "Area of the mask of the baseline's map of which the {metric} is computed.",
        "percent",
    ),
    (
        "_area",
        "{metric}: area",
        "Area of the mask of the augmented model's map of which the {metric} is computed.",
        "percent",
    ),
    ("_baseline", "{metric}, baseline", "{baseline}.", "number"),
    ("", "{metric}", "Metric of two maps: {about}.", "number"),
)


def text(column: Column, value: Any, decimals: int | None = None) -> str:
    """A value as tables show it: rounded, ids replaced by labels, `MISSING` if undefined.

    Numbers below 0.01 have two significant digits, so that small distances are not shown as 0.

    Parameters
    ----------
    decimals
        Of a number; None: those of its form.
    """
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    form = FORMS[column.form]
    if form.decimals is None:
        return _named(column, str(value))
    if isinstance(value, str) or not math.isfinite(value):
        return str(value)
    number = form.scale * float(value)
    if column.form == "p" and 0 <= number < 0.001:
        return "< 0.001"
    if decimals is None and column.form in ("number", "signed") and 0 < abs(number) < 0.01:
        return _small(number, "+" if form.signed else "").replace("-", "−")
    places = form.decimals if decimals is None else decimals
    number = round(number, places) + 0.0  # without the sign of −0
    layout = ("+" if form.signed and number else "") + ("" if column.form == "position" else ",")
    return f"{number:{layout}.{places}f}".replace("-", "−")


def decimals(column: Column, low: float, high: float) -> int | None:
    """Decimals of an estimate and its interval: two significant digits of half the width, 2 to 6.

    None if these are the decimals of the column's form, or there is no interval.
    """
    if column.form not in ("number", "signed") or not high > low or math.isinf(high - low):
        return None
    return min(6, max(2, 1 - math.floor(math.log10((high - low) / 2))))


def _small(number: float, sign: str) -> str:
    """A number below 0.01 with two significant digits: 0.0055, 4.2 × 10⁻⁵."""
    if abs(number) >= 1e-4:
        return f"{number:{sign}.{1 - math.floor(math.log10(abs(number)))}f}"
    mantissa, power = f"{number:{sign}.1e}".split("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} × 10{raised}"


def _named(column: Column, value: str) -> str:
    """A name or code as its label."""
    match column.form:
        case "augmentation":
            return labels.control_title(value)
        case "augmentations":
            return " + ".join(map(labels.control_title, value.split(" + ")))
        case "metric":
            return metric_label(value)
        case "metrics":
            return ", ".join(map(metric_label, value.split(", ")))
        case "code":
            return CODES[column.codes].get(value, value)
    return value


def metric_label(name: str) -> str:
    """The label of a metric, of one of its further columns, or of what takes a metric's place."""
    if name in ("all", "accuracy"):
        return {"all": "All metrics", "accuracy": "Accuracy"}[name]
    if name == "prediction":
        return "Same predicted class (share of images)"
    if name in registry.REPRESENTATIONS:
        return registry.REPRESENTATIONS[name].label
    found = metric_column(name)
    return found.label if found else name


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


# Kind of codes → code → label.
CODES: dict[str, Mapping[str, str]] = {
    "class": labels.GROUPS,
    "corruption": labels.CORRUPTIONS,
    "curve": {name: label.replace("\n", " ") for name, label in labels.CURVES.items()},
    "dose": {
        "accuracy": "Accuracy",
        "distance": "Distance of the maps",
        "localisation": "Energy of the maps on the object",
    },
    "group": labels.CUE_GROUPS,
    "kind": {
        "baselines": "Two baselines",
        "within": "Two of the augmentation",
        **{
            f"with_{name}": f"One of the augmentation, one of {labels.control_title(name)}"
            for name in ("baseline", *registry.MATCHED)
        },
    },
    "level": {name: labels.title(name) for name in ("shuffled", "gaussian", "edges", "untrained")},
    "localisation": registry.LOCALISATION,
    "calibration": labels.CALIBRATION,
    "sanity": labels.SANITY,
    "deletion": labels.DELETION,
    "exchange": labels.EXCHANGE,
    "map": {"map": "Map of the model", "random": "Random map"},
    "of_image": {"own": "The same image", "other": "Another image"},
    "measure": labels.GAINS,
    "model": labels.CLASSIFIERS,
    "over": {name: _sentence_case(label) for name, label in labels.OVER.items()},
    "pairs": {
        "reference": "Reference of the study",
        "across seeds": "Different seeds only",
        "strongest": "Strongest",
        "weakest": "Weakest",
    },
    "equality": {"identical": "Identical", "near": "Near"},
    "predictions": {"any": "All images", "equal": "Equal predictions"},
    "score": {name: _sentence_case(label) for name, label in labels.SCORES.items()},
    "segment": {name: label for part in labels.SEGMENTS.values() for name, label in part.items()},
    "spurious": {
        "accuracy": "Accuracy",
        "cue_class_rate": "Predicted as the class of the cue",
        "energy": "Share of the map on the cue",
    },
    "statistic": {"mean": "Highest mean", "std": "Highest standard deviation"},
    "subset": labels.SUBSETS,
}


def _estimate(
    name: str, column: Column, level: str = "95 %", stem: str | None = None
) -> dict[str, Column]:
    """A column with an interval, and the columns of its ends, `<stem>low` and `<stem>high`."""
    stem = f"{name}_" if stem is None else stem
    ends = (f"{stem}low", f"{stem}high")
    found = {name: replace(column, ends=ends, level=level)}
    for end, which in zip(ends, ("lower", "upper"), strict=True):
        about = f"{which.capitalize()} end of the {level} interval of `{name}`."
        found[end] = replace(column, label=f"{column.label}, {which} end", about=about, end=which)
    return found


KNOWN_CHANGE = Column(
    "Change", "Kind of the known change, or sweep of an augmentation.", "augmentation"
)


def _described(counted: str, of: str) -> dict[str, Column]:
    """Columns of a distribution (`analysis._describe`)."""
    return {
        counted: Column(counted.capitalize(), f"Number of {of}.", "count"),
        "undefined": Column(
            "Undefined",
            f"Number of {of} without a value, because a map is constant; they are left out.",
            "count",
        ),
        "mean": Column("Mean", "Mean of the defined values."),
        "std": Column("SD", "Standard deviation of the defined values (n − 1)."),
        "minimum": Column("Minimum", "Smallest value."),
        "q1": Column("Lower quartile", "25 % of the values are smaller."),
        "median": Column("Median", "Half of the values are smaller."),
        "q3": Column("Upper quartile", "75 % of the values are smaller."),
        "maximum": Column("Maximum", "Largest value."),
    }


# Columns of several tables.
AUGMENTATION = Column(
    "Augmentation", "Augmentation or control with which the models were trained.", "augmentation"
)
SEED = Column("Seed", "Seed of the model; for imported models its number.", "count")
AUGMENTATION_A = Column("First augmentation", "One augmentation of the pair.", "augmentation")
AUGMENTATION_B = Column(
    "Second augmentation", "The other augmentation of the pair.", "augmentation"
)
VARIANT = Column("Variant", "Name of the variant of the maps; `main` is `cam` itself.", "text")
METRIC = Column("Metric", "Metric by which maps or predictions are compared.", "metric")
CLASS = Column("Class", "Class of the images.", "class")
MODEL = Column("Model", "Network or classifier.", "code", codes="model")
REFERENCE = Column(
    "Reference",
    "Models without augmentation with which the models of the row are compared.",
    "augmentation",
)
IMAGES = Column("Images", "Number of test images.", "count")
MODELS = Column("Models", "Number of models of the row.", "count")
REFERENCE_MODELS = Column("Reference models", "Number of reference models.", "count")
SEEDS = Column("Seeds", "Number of models, one per seed.", "count")
STD_SEEDS = Column("SD", "Standard deviation over seeds (n − 1).")
NOTE = Column(
    "Note", "Why a p-value or an estimate is missing; empty if there is none missing.", "text"
)
LABEL = Column("True class", "True class of the image.", "class")
PREDICTION = Column("Predicted class", "Class that the model predicts.", "class")
INDEX = Column("Image", "Position of the image in the data set, from 0.", "position")
FILE = Column(
    "File",
    "File of the image, relative to the folder of the images, with its row in brackets if the file "
    "has several images; empty if the images were not read from files.",
    "text",
)
SUBSET = Column("Subset", "Training, validation or test images.", "code", codes="subset")
ACCURACY = Column("Accuracy", "Share of the test images that are classified correctly.", "percent")
PRECISION = Column(
    "Precision",
    "Mean over classes of the share of the predictions of a class that are correct (macro).",
    "percent",
)
RECALL = Column(
    "Balanced accuracy (recall)",
    "Mean over classes of the share of the images of a class that are recognised: macro-averaged "
    "recall.",
    "percent",
)
F1 = Column(
    "F1", "Mean over classes of the harmonic mean of precision and recall (macro).", "percent"
)
PEARSON = Column(
    "Pearson's r",
    "Correlation over test images between the metric under the first augmentation and under the "
    "second.",
    "signed",
)
COUNT = Column(
    "Metrics",
    "Number of metrics in which the pair is among the most strongly (weakly) correlated.",
    "count",
)
SCORES = {"accuracy": ACCURACY, "precision": PRECISION, "recall": RECALL, "f1": F1}
EPOCH_NUMBER = Column("Epoch", "Number of the epoch, from 1.", "count")
VALIDATION_ACCURACY = Column(
    "Validation accuracy",
    "Share of the validation images that are classified correctly after this epoch.",
    "percent",
)
CHANGE = Column(
    "Accuracy change",
    "Mean accuracy of the augmented models minus that of the reference models, over models and "
    "images.",
    "points",
)
DIFFERENCE = Column(
    "Difference from baseline",
    "Mean over seeds of the augmented models minus that of the baselines, over seeds and images.",
    "signed",
)

# The map shift, as defined in docs/evidence.md.
BETWEEN = Column(
    "Distance AB", "Mean distance between the maps of an augmented and a reference model."
)
WITHIN = Column("Distance AA", "Mean distance between the maps of two augmented models.")
FLOOR = Column(
    "Noise floor BB",
    "Mean distance between the maps of two reference models, which is retraining variability.",
)
NET = Column(
    "Net distance N",
    "AB − BB: how much farther the maps of augmented models are from those of reference models "
    "than "
    "these are from each other; not tested.",
    "signed",
)
TIGHTENING = Column(
    "Tightening T",
    "(BB − AA)/2: how much more similar the maps of augmented models are to each other than those "
    "of "
    "reference models.",
    "signed",
)
SHIFT = Column(
    "Map shift E",
    "N + T: how far the augmentation changes the maps beyond retraining variability; 0 is what "
    "retraining with another seed gives.",
    "signed",
)
CORRECTED = Column(
    "Noise-corrected similarity c",
    "Similarity between augmented and reference models, divided by the geometric mean of those "
    "within; 1 if there is no difference beyond retraining variability.",
)
SHIFTS = {
    "between": BETWEEN,
    "within": WITHIN,
    "floor": FLOOR,
    **_estimate("net", NET),
    **_estimate("tightening", TIGHTENING),
    **_estimate("shift", SHIFT, "90 %"),
    **_estimate("noise_corrected_similarity", CORRECTED, "90 %"),
    "relative_shift": Column(
        "Shift, % of noise floor", "Map shift E divided by the noise floor BB.", "change"
    ),
    "shift_p": Column(
        "p of E", "One-sided p of the map shift, by permutation of the labels of models.", "p"
    ),
    "shift_p_holm": Column(
        "p of E, Holm",
        "One-sided p of the map shift, corrected by Holm's method over the augmentations of a "
        "metric and reference.",
        "p",
    ),
    "tightening_p": Column(
        "p of T", "Two-sided p of the tightening, by permutation of the labels of models.", "p"
    ),
    "tightening_p_holm": Column(
        "p of T, Holm",
        "Two-sided p of the tightening, corrected by Holm's method over the augmentations of a "
        "metric and reference.",
        "p",
    ),
    "note": replace(NOTE, about="Why the map shift is not tested; empty if it is."),
    **_estimate(
        "superiority",
        Column(
            "Superiority A",
            "Probability that the map of an augmented model is farther from that of a reference "
            "model than another reference model's is, for the same image; 0.5 without an effect.",
        ),
    ),
    "agreement": Column(
        "Equal predictions",
        "Share of the pairs of maps AB for which both models predict the same class.",
        "percent",
    ),
    "models": MODELS,
    "reference_models": REFERENCE_MODELS,
    "images": IMAGES,
}
_P_CHANGE = Column(
    "p of the change",
    "Two-sided p of the accuracy change, by permutation of the labels of models.",
    "p",
)
_P_CHANGE_HOLM = Column(
    "p of the change, Holm",
    "Two-sided p of the accuracy change, corrected by Holm's method over the augmentations.",
    "p",
)
ACCURACIES = {
    "accuracy": replace(ACCURACY, about="Mean test accuracy of the models of the row."),
    "reference_accuracy": Column(
        "Reference accuracy", "Mean test accuracy of the reference models.", "percent"
    ),
    **_estimate("accuracy_change", CHANGE),
}
_P_BALANCED = replace(
    _P_CHANGE,
    label="p of the balanced change",
    about="Two-sided p of the change of balanced accuracy, by permutation of the labels of models.",
)
_P_BALANCED_HOLM = replace(
    _P_CHANGE_HOLM,
    label="p of the balanced change, Holm",
    about="Two-sided p of the change of balanced accuracy, corrected by Holm's method over the "
    "augmentations.",
)
BALANCED_CHANGE = Column(
    "Balanced accuracy change",
    "Mean balanced accuracy (mean recall of the classes) of the augmented models minus that of the "
    "reference models, over models and images.",
    "points",
)
_BALANCED = _estimate("balanced_accuracy_change", BALANCED_CHANGE)

_CORRELATION = Table(
    "Correlation between augmentations",
    "A row per metric and ordered pair of augmentations; each image's value is the mean over "
    "seeds.",
    {
        "metric": METRIC,
        "augmentation_a": AUGMENTATION_A,
        "augmentation_b": AUGMENTATION_B,
        "pearson": PEARSON,
        "images": replace(IMAGES, about="Number of test images with a value in both."),
    },
)
_SCORES_OF = {
    "model": MODEL,
    **_estimate("accuracy", ACCURACY, stem=""),
    **{name: score for name, score in SCORES.items() if name != "accuracy"},
    "images": IMAGES,
    **_estimate(
        "difference",
        Column(
            "Difference from reference",
            "Accuracy minus that of the reference classifier, paired by image.",
            "points",
        ),
    ),
}
_CLASSES_OF = {
    "model": MODEL,
    "class": CLASS,
    "precision": replace(
        PRECISION, about="Share of the predictions of the class that are correct."
    ),
    "recall": replace(RECALL, about="Share of the images of the class that are recognised."),
    "f1": replace(F1, about="Harmonic mean of precision and recall."),
    "support": Column("Images", "Number of test images of the class.", "count"),
}
_CONFUSION_OF = {
    "model": MODEL,
    "label": LABEL,
    "prediction": PREDICTION,
    "images": Column("Predictions", "Number of test images.", "count"),
}


def _of_classifiers(stage: str, of: str) -> dict[str, Table]:
    """The tables of a stage that compares classifiers."""
    return {
        f"{stage}_scores": Table(
            f"Scores of {of}",
            "A row per classifier. Intervals are 95 % intervals over test images for these models "
            "(Wilson's of accuracy, Student's t of differences).",
            _SCORES_OF,
        ),
        f"{stage}_classes": Table(
            f"Scores by class of {of}", "A row per classifier and class.", _CLASSES_OF
        ),
        f"{stage}_confusion": Table(
            f"Confusion matrices of {of}",
            "A row per classifier, true and predicted class; the most frequent first. With more "
            "than 100 classes, pairs of different classes without predictions are left out.",
            _CONFUSION_OF,
            sort=("-images",),
        ),
    }


_LOCALISATION = {
    "augmentation": AUGMENTATION,
    "seed": SEED,
    "region": Column("Region", "Region of the image whose pixels are known.", "text"),
    "score": Column("Score", "How well the map coincides with it.", "code", codes="localisation"),
    "images": replace(IMAGES, about="Number of test images with the region."),
    "constant": Column("Constant maps", "Number of constant maps among them.", "count"),
    "mean": Column("Mean", "Mean score of the maps."),
    "chance": Column("Random map", "Mean score of a random map."),
    "other": Column("Map of another image", "Mean score of the model's maps of other images."),
}
_LOCALISATION_SUMMARY = {
    "augmentation": AUGMENTATION,
    "region": Column("Region", "Region of the image whose pixels are known.", "text"),
    "score": Column("Score", "How well the map coincides with it.", "code", codes="localisation"),
    "seeds": SEEDS,
    "images": replace(IMAGES, about="Number of test images with the region."),
    "constant": Column("Constant maps", "Mean number of constant maps per model.", "decimal"),
    "mean": Column("Mean", "Mean score over seeds."),
    "std": STD_SEEDS,
    "chance": Column("Random map", "Mean score of a random map."),
    "other": Column("Map of another image", "Mean score of the model's maps of other images."),
    **_estimate("difference", DIFFERENCE),
}
_DELETION = {
    "augmentation": AUGMENTATION,
    "network": Column("Network", "Whose maps and scores these are.", "code", codes="deletion"),
}
_DELETION_SCORES = {
    "accuracy": Column("Accuracy", "Of the sampled images.", "percent"),
    "accuracy_deleted": Column(
        "Accuracy without a cell", "Of the same images without one of the cells.", "percent"
    ),
    "undefined": Column(
        "Undefined", "Share of the images whose map, or whose scores, are all equal.", "percent"
    ),
}
_RANKS = Column(
    "Rank correlation",
    "Spearman correlation, over cells, of the map and the fall of the score without the cell; mean "
    "over images.",
)
_EXCHANGE = {
    "augmentation": AUGMENTATION,
    "measure": Column("Measure", "How faithfulness is measured.", "code", codes="measure"),
    "term": Column(
        "Term",
        "What differs: networks with their own maps; networks, averaged over both maps; maps, "
        "averaged over both networks; or the own map and that of the other.",
        "code",
        codes="exchange",
    ),
}
_EXCHANGED = Column(
    "Score difference",
    "Area under the insertion curve, or minus that under the deletion curve, of the augmented "
    "model minus that of the baseline; of the own map minus the other's. Positive: more faithful.",
    "signed",
)
_SANITY = {
    "augmentation": AUGMENTATION,
    "check": Column("Check", "With what a model's map is compared.", "code", codes="sanity"),
    "metric": replace(METRIC, about="Metric by which the two maps are compared; none for eMPRT."),
}
_SANITY_MEAN = {
    "seeds": SEEDS,
    "images": replace(IMAGES, about="Number of sampled test images."),
    **_estimate("mean", Column("Mean", "Mean over seeds and images."), stem=""),
    "undefined": Column(
        "Undefined", "Share of the values that are undefined: a map is constant.", "percent"
    ),
}
_CALIBRATION = {
    "confidence": Column("Confidence", "Mean probability of the predicted class.", "percent"),
    "ece": Column(
        "Calibration error",
        "Expected calibration error: mean of |accuracy − confidence| over 15 bins of confidence.",
        "percent",
    ),
    "brier": Column(
        "Brier score", "Mean squared distance of the probabilities from the label, 0 to 2."
    ),
    "nll": Column(
        "Log loss", "Mean negative logarithm of the probability of the true class.", unit="nats"
    ),
}


def _change(of: str, form: str, change: str) -> dict[str, Column]:
    """Columns of `controls.changes` of a quantity that is shown in these forms."""
    return {
        "mean": Column("Mean", f"Mean {of} of the models of the row.", form),
        "reference_mean": Column("Reference mean", f"Mean {of} of the reference models.", form),
        **_estimate(
            "change", Column("Change", f"Change of the {of}: mean minus reference.", change)
        ),
        "change_p": Column(
            "p of the change", "Two-sided p, by permutation of the labels of models.", "p"
        ),
        "change_p_holm": Column(
            "p of the change, Holm",
            "Two-sided p, corrected by Holm's method over the augmentations.",
            "p",
        ),
        "note": replace(NOTE, about="Why the change is not tested; empty if it is."),
        "models": MODELS,
        "reference_models": REFERENCE_MODELS,
        "images": IMAGES,
    }


_CORRUPTION = Column("Corruption", "Common corruption of the images.", "code", codes="corruption")
_TRANSFORM = Column("Transform", "Transform of the test images.", "augmentation")
_FOLLOWS = Column(
    "Metric",
    "Metric by which the map of the transformed image is compared with the transformed map, or "
    "whether the predicted class is the same.",
    "metric",
)
_ROBUSTNESS = {
    "corruption_accuracy": Table(
        "Accuracy on corrupted images, every model",
        "A row per model, corruption and severity.",
        {
            "augmentation": AUGMENTATION,
            "seed": SEED,
            "corruption": _CORRUPTION,
            "severity": Column("Severity", "1 to 5; 0: not corrupted.", "count"),
            "images": IMAGES,
            "accuracy": replace(ACCURACY, about="Share of the images classified correctly."),
        },
    ),
    "corruption_change": Table(
        "Accuracy on corrupted images, by augmentation",
        "A row per corruption (mean over its severities), augmentation or control, and reference. "
        "Intervals are 95 % intervals over models and images.",
        {
            "corruption": replace(
                _CORRUPTION,
                about="Common corruption; uncorrupted images; the mean of all corruptions; or "
                "loss, the accuracy on uncorrupted images minus that mean.",
            ),
            "augmentation": AUGMENTATION,
            "reference": REFERENCE,
            **_change("accuracy", "percent", "points"),
        },
    ),
    "equivariance": Table(
        "Maps of transformed images, every model",
        "A row per model, transform and metric.",
        {
            "augmentation": AUGMENTATION,
            "seed": SEED,
            "transform": _TRANSFORM,
            "metric": _FOLLOWS,
            "images": IMAGES,
            "undefined": Column(
                "Undefined", "Number of images for which the metric is undefined.", "count"
            ),
            "mean": Column("Mean", "Mean of the metric over images."),
            "other": Column(
                "Map of another image",
                "Mean of the metric with the transformed map of another image.",
            ),
            "valid": Column(
                "Valid region", "Mean share of the image that the comparison uses.", "percent"
            ),
        },
    ),
    "equivariance_change": Table(
        "Maps of transformed images, by augmentation",
        "A row per transform, metric, augmentation or control, and reference. Intervals are 95 % "
        "intervals over models and images.",
        {
            "transform": replace(
                _TRANSFORM, about="Transform of the test images; all: the mean over transforms."
            ),
            "metric": _FOLLOWS,
            "augmentation": AUGMENTATION,
            "reference": REFERENCE,
            **_change("similarity", "number", "signed"),
        },
    ),
}


def _of_mosaics() -> dict[str, Table]:
    """The tables of the stage `mosaics`: those of `localisation` with other words."""
    kind = Column("Kind of mosaic", "Grid pointing game or Focus.", "augmentation")
    mosaics = Column("Mosaics", "Number of mosaics.", "count")
    of = {
        "region": kind,
        "score": Column("Score", "Where the map lies in the mosaic.", "code", codes="localisation"),
        "images": mosaics,
        "chance": Column("Random map", "Share of the cells that show the explained class."),
        "other": Column(
            "Map of another mosaic", "Mean score of the model's maps of other mosaics."
        ),
    }
    return {
        f"mosaics{part}": Table(
            f"Localisation in mosaics, {each}",
            f"{row}, kind of mosaic and score; the region is the cells of the explained class.",
            {name: of.get(name, column) for name, column in columns.items()},
        )
        for part, each, row, columns in (
            ("", "every model", "A row per model", _LOCALISATION),
            (
                "_summary",
                "by augmentation",
                "A row per augmentation (intervals: 95 %, over seeds and mosaics)",
                _LOCALISATION_SUMMARY,
            ),
        )
    }


_SHIFT = Table(
    "Map shift in every metric",
    "A row per metric, reference, images used and augmentation. Intervals of N and T are 95 % "
    "intervals, those of E and c 90 % intervals, each end one-sided at 5 %, over models and "
    "images.",
    {
        "metric": METRIC,
        "augmentation": AUGMENTATION,
        "reference": REFERENCE,
        "predictions": Column(
            "Images used",
            "All images, or those for which both models of a pair predict the same class.",
            "code",
            codes="predictions",
        ),
        **SHIFTS,
    },
    first=(
        *("augmentation", "metric", "reference", "predictions", "net", "tightening", "shift"),
        *("relative_shift", "noise_corrected_similarity", "shift_p_holm"),
    ),
)

CUE = Column("Cue", "Region that occurs with one class in training.", "text")
EPOCH = Column("Epoch", "Epoch of training, from 1, or that of the weights that are kept.", "text")

TABLES: dict[str, Table] = {
    "summary": Table(
        "Summary: accuracy change and map shift",
        "A row per augmentation, then per control, in one metric. Intervals of accuracy, N and T "
        "are "
        "95 % intervals, those of E and c 90 % intervals, each end one-sided at 5 %, over models "
        "and "
        "images. p by permutation of the labels of models, after Holm's correction over the "
        "augmentations.",
        {
            "augmentation": AUGMENTATION,
            "reference": REFERENCE,
            **ACCURACIES,
            "accuracy_change_p_holm": _P_CHANGE_HOLM,
            "accuracy_change_note": replace(
                NOTE, label="Note on accuracy", about="Why the accuracy change is not tested."
            ),
            **_BALANCED,
            "balanced_accuracy_change_p_holm": _P_BALANCED_HOLM,
            "metric": METRIC,
            **SHIFTS,
            **_estimate(
                "equal_shift",
                replace(
                    SHIFT,
                    label="Map shift E, equal predictions",
                    about="Map shift over the images for which both models predict the same class.",
                ),
                "90 %",
            ),
            "equal_shift_p_holm": Column(
                "p of E, equal predictions, Holm",
                "One-sided p of this shift, after Holm's correction over the augmentations.",
                "p",
            ),
            "significant": Column(
                "Significant metrics",
                "Number of metrics with a significant map shift (p ≤ 0.05 after Holm's "
                "correction).",
                "count",
            ),
            "tested": Column("Tested metrics", "Number of metrics whose shift is tested.", "count"),
        },
        first=(
            *("augmentation", "accuracy_change", "net", "tightening", "shift"),
            *("relative_shift", "noise_corrected_similarity", "shift_p_holm"),
            *("significant", "tested"),
        ),
    ),
    "accuracy_change": Table(
        "Accuracy change",
        "A row per augmentation or control and reference. Intervals are 95 % intervals over models "
        "and images.",
        {
            "augmentation": AUGMENTATION,
            "reference": REFERENCE,
            **ACCURACIES,
            "accuracy_change_p": _P_CHANGE,
            "accuracy_change_p_holm": _P_CHANGE_HOLM,
            "note": replace(NOTE, about="Why the change is not tested; empty if it is."),
            **_estimate(
                "g",
                Column("Hedges' g", "Accuracy change in standard deviations of models.", "signed"),
            ),
            "models": MODELS,
            "reference_models": REFERENCE_MODELS,
            "images": IMAGES,
            "balanced_accuracy": replace(
                RECALL,
                label="Balanced accuracy",
                about="Mean over classes of the share of the images of a class that the models of "
                "the row recognise.",
            ),
            "reference_balanced_accuracy": replace(
                RECALL,
                label="Reference balanced accuracy",
                about="Mean balanced accuracy of the reference models.",
            ),
            **_BALANCED,
            "balanced_accuracy_change_p": _P_BALANCED,
            "balanced_accuracy_change_p_holm": _P_BALANCED_HOLM,
        },
    ),
    "shift_by_class": Table(
        "Map shift by class",
        "A row per metric, augmentation and class of the test images, and one of all images, "
        "compared with the reference of the summary. Intervals of N and T are 95 % intervals, "
        "those of E 90 % intervals, each end one-sided at 5 %, over models and images, not "
        "corrected for several classes.",
        {
            "metric": METRIC,
            "augmentation": AUGMENTATION,
            "reference": REFERENCE,
            "class": replace(CLASS, form="code", codes="class"),
            "images": replace(IMAGES, about="Number of test images of the class."),
            "between": BETWEEN,
            "within": WITHIN,
            "floor": FLOOR,
            **_estimate("net", NET),
            **_estimate("tightening", TIGHTENING),
            **_estimate("shift", SHIFT, "90 %"),
            "relative_shift": replace(
                SHIFTS["relative_shift"],
                about="Map shift E divided by the noise floor BB of the class.",
            ),
        },
    ),
    "shift": _SHIFT,
    "representation_shift": replace(
        _SHIFT,
        title="Shift of features and predictions",
        about="A row per measure, reference, images used and augmentation, as of the map shift, "
        "over the images of the sample.",
        columns={
            **_SHIFT.columns,
            "metric": replace(METRIC, about="Measure by which two networks are compared."),
        },
    ),
    "between": Table(
        "Map shift between augmentations",
        "A row per metric and pair of augmentations, without a baseline. Intervals are 90 % "
        "intervals over models and images.",
        {
            "metric": METRIC,
            "augmentation_a": AUGMENTATION_A,
            "augmentation_b": AUGMENTATION_B,
            "between": Column(
                "Distance between", "Mean distance between the maps of models of the two."
            ),
            "within_a": Column(
                "Distance within first",
                "Mean distance between the maps of two models of the first.",
            ),
            "within_b": Column(
                "Distance within second",
                "Mean distance between the maps of two models of the second.",
            ),
            **_estimate(
                "shift",
                replace(SHIFT, about="Distance between, minus the mean of the distances within."),
                "90 %",
                "",
            ),
            "p": Column("p", "One-sided p of the shift, by permutation of the labels.", "p"),
            "p_holm": Column(
                "p, Holm", "p after Holm's correction over the pairs of a metric.", "p"
            ),
            "note": replace(NOTE, about="Why the shift is not tested; empty if it is."),
            "pairs": Column("Pairs of models", "Number of pairs of models of the two.", "count"),
            "images": IMAGES,
        },
    ),
    "mixed_model": Table(
        "Map shift by a mixed-effects model",
        "A row per augmentation or control, compared with the baselines, in one metric. Intervals "
        "are "
        "Wald's 95 % intervals, which are too narrow if maps are shifted.",
        {
            "metric": METRIC,
            "augmentation": AUGMENTATION,
            **_estimate(
                "shift",
                replace(SHIFT, about="Map shift E from the fixed effects of the model."),
                stem="",
            ),
            "image": Column("Variance of images", "Variance of the random effect of the image."),
            "pair": Column(
                "Variance of pairs", "Variance of the random effect of the pair of models."
            ),
            "rest": Column("Residual variance", "Variance of the residuals."),
            "images": replace(IMAGES, about="Number of test images in the fit."),
            "note": replace(NOTE, about="Why there is no fit; empty if there is one."),
        },
    ),
    "pair_kinds": Table(
        "Similarity by kind of pair",
        "A row per metric, augmentation and kind of pair of models.",
        {
            "metric": METRIC,
            "augmentation": AUGMENTATION,
            "kind": Column("Kind of pair", "Which two models are compared.", "code", codes="kind"),
            "mean": Column("Mean", "Mean of the metric over pairs of models and images."),
            "models": replace(MODELS, about="Number of models in these pairs."),
            "pairs": Column("Pairs of models", "Number of pairs of models.", "count"),
            "images": IMAGES,
            "undefined": Column(
                "Undefined", "Number of pairs of maps for which the metric is undefined.", "count"
            ),
            "constant": Column(
                "Constant maps",
                "Number of maps that are zero everywhere, of models × images.",
                "count",
            ),
        },
    ),
    "subsets": Table(
        "Images of each class",
        "A row per class, and one of all classes: number of images in each subset. If seeds drive "
        "the training images, those of the first seed.",
        {
            "class": CLASS,
            **{
                subset: Column(f"{label} images", f"Number of {label.lower()} images.", "count")
                for subset, label in CODES["subset"].items()
            },
        },
    ),
    "duplicates": Table(
        "Images that occur twice",
        "A row per image that equals one of an earlier subset (training, validation, test) or, in "
        "the same subset, one of another class; with the first such image.",
        {
            "index": INDEX,
            "file": FILE,
            "class": Column("Class", "Class of the image.", "class"),
            "subset": SUBSET,
            "other_index": replace(INDEX, label="Other image"),
            "other_file": replace(FILE, label="Other file"),
            "other_class": Column("Class of the other", "Class of the other image.", "class"),
            "other_subset": replace(SUBSET, label="Subset of the other"),
            "kind": Column(
                "Equality",
                "identical: in every pixel; near: by their perceptual hashes "
                "(`analysis.near_duplicates`).",
                "code",
                codes="equality",
            ),
            "bits": Column("Bits", "Bits in which the perceptual hashes differ, of 64.", "count"),
            "splits": Column(
                "Splits",
                "Number of splits in which the two images are in these subsets; 1 unless seeds "
                "drive the training images.",
                "count",
            ),
        },
    ),
    "performance": Table(
        "Accuracy of every model",
        "A row per model: scores on the test images.",
        {"augmentation": AUGMENTATION, "seed": SEED, **SCORES, "images": IMAGES},
    ),
    "performance_summary": Table(
        "Accuracy by augmentation",
        "A row per augmentation and score: mean and standard deviation over seeds.",
        {
            "augmentation": AUGMENTATION,
            "score": Column("Score", "Which score.", "code", codes="score"),
            "mean": Column("Mean", "Mean over seeds of the score on the test images.", "percent"),
            "std": replace(STD_SEEDS, form="percent"),
            "seeds": SEEDS,
        },
    ),
    "confusion": Table(
        "Confusion matrices",
        "A row per augmentation, true and predicted class; the most frequent first. Seeds are "
        "summed. With more than 100 classes, pairs of different classes without predictions are "
        "left out.",
        {
            "augmentation": AUGMENTATION,
            "label": LABEL,
            "prediction": PREDICTION,
            "images": Column("Predictions", "Number of predictions, seeds summed.", "count"),
        },
        sort=("-images",),
    ),
    "confused_pairs": Table(
        "Most frequent confusions",
        "A row per augmentation and pair of classes; the 40 most frequent confusions of each "
        "augmentation. Seeds are summed.",
        {
            "augmentation": AUGMENTATION,
            "label": LABEL,
            "prediction": PREDICTION,
            "images": Column("Predictions", "Number of predictions, seeds summed.", "count"),
            "share": Column(
                "Share",
                "Share of the predictions for images of the true class.",
                "percent",
            ),
        },
    ),
    "architectures": Table(
        "Candidate architectures",
        "A row per candidate and epoch: networks trained without augmentation.",
        {
            "architecture": Column("Architecture", "Architecture of the network.", "text"),
            "epoch": EPOCH_NUMBER,
            "validation_accuracy": VALIDATION_ACCURACY,
            **SCORES,
        },
    ),
    "validation": Table(
        "Epoch of the saved weights",
        "A row per model.",
        {
            "augmentation": AUGMENTATION,
            "seed": SEED,
            "epoch": Column("Epoch", "Epoch whose weights the model has, from 1.", "count"),
            "accuracy": VALIDATION_ACCURACY,
        },
    ),
    "imported": Table(
        "Imported models",
        "A row per file of weights that the study lists.",
        {
            "augmentation": AUGMENTATION,
            "seed": replace(
                SEED,
                label="Number",
                about=(
                    "Place of the file in the list of its arm, plus 100 in the first arm after the "
                    "baseline, 200 in the second, and so on; with reference: paired, the place."
                ),
            ),
            "file": Column("File", "File of the weights.", "text"),
            "architecture": Column("Architecture", "Architecture of the network.", "text"),
            "accuracy": ACCURACY,
            "images": IMAGES,
        },
    ),
    "dose_localisation": Table(
        "Localisation against the strength of an augmentation",
        "A row per augmentation or control and reference. Intervals are 95 % intervals over models "
        "and images.",
        {
            "region": Column("Region", "Region of the image whose pixels are known.", "text"),
            "score": Column(
                "Score", "How well the map coincides with it.", "code", codes="localisation"
            ),
            "augmentation": AUGMENTATION,
            "reference": REFERENCE,
            **_change("score", "number", "signed"),
        },
    ),
    "dose_response": Table(
        "Trends over the strength of an augmentation",
        "A row per sweep and measure: whether the values of single models follow the strength.",
        {
            "sweep": Column("Sweep", "Name of the sweep.", "text"),
            "augmentation": AUGMENTATION,
            "parameter": Column("Parameter", "Parameter that is varied.", "text"),
            "measure": Column(
                "Measure",
                "Test accuracy of a model, mean distance of its maps from those of reference "
                "models, or mean share of its maps on the object.",
                "code",
                codes="dose",
            ),
            "metric": replace(METRIC, about="Metric of the distance."),
            "reference": REFERENCE,
            "strengths": Column("Strengths", "Number of strengths.", "count"),
            "models": MODELS,
            "tau": Column(
                "Kendall's τ",
                "τ-b between strength and value over models; 1 if the value always increases.",
                "signed",
            ),
            "p": Column(
                "p", "Two-sided p of the trend, by permutation of models (Jonckheere's test).", "p"
            ),
            "p_holm": Column(
                "p, Holm", "p after Holm's correction over the sweeps of a measure.", "p"
            ),
        },
        first=("augmentation", "parameter", "measure", "tau", "p_holm", "strengths", "models"),
    ),
    "known_changes": Table(
        "Metrics and known changes",
        "A row per metric and group of networks that differ from the baselines by a known change, "
        "or by their seeds alone (unchanged). Intervals are 95 % intervals over networks.",
        {
            "metric": METRIC,
            "change": KNOWN_CHANGE,
            "level": Column("Level", "Value of the change in the config.", "text"),
            "strength": Column(
                "Strength", "Place among the levels of its kind; 0 if unchanged.", "count"
            ),
            "accuracy": Column("Accuracy", "Mean test accuracy of these networks.", "percent"),
            "reference_accuracy": Column(
                "Accuracy, baselines", "Mean test accuracy of the baselines.", "percent"
            ),
            "floor": Column("Noise floor", "Mean distance between two baselines."),
            "within": Column("Distance within", "Mean distance between two of these networks."),
            "between": Column(
                "Distance between", "Mean distance between one of these networks and a baseline."
            ),
            "shift": replace(
                SHIFT, about="Distance between, minus the mean of the distances within."
            ),
            "relative_shift": Column(
                "Shift, % of noise floor", "Shift as a share of the noise floor.", "change"
            ),
            "shift_p": Column(
                "p", "One-sided p of the shift, by permutation of the labels; not corrected.", "p"
            ),
            **_estimate(
                "auprc",
                Column(
                    "AUPRC",
                    "Average precision with which pairs within a group are ranked as more similar "
                    "than pairs across the two groups, mean of both groups; 1: separated.",
                ),
            ),
            "chance": Column(
                "AUPRC by chance", "Mean AUPRC over all relabellings of the networks."
            ),
            "prior": Column("Prior", "Share of pairs within a group, mean of both groups."),
            **_estimate(
                "auroc",
                Column(
                    "AUROC",
                    "Probability that a pair within a group is more similar than a pair across the "
                    "two groups, mean of both groups; 0.5 by chance.",
                ),
            ),
            "models": Column("Networks", "Number of networks with the change.", "count"),
            "reference_models": Column("Baselines", "Number of baselines.", "count"),
            "images": IMAGES,
        },
        first=("metric", "change", "level", "relative_shift", "shift_p", "auprc", "chance"),
    ),
    "known_changes_summary": Table(
        "Which metrics detect known changes",
        "A row per metric and kind of change, and one for all kinds, without the networks that "
        "differ by their seeds alone. Intervals are 95 % intervals over networks.",
        {
            "metric": METRIC,
            "change": KNOWN_CHANGE,
            **_estimate(
                "auprc",
                Column(
                    "AUPRC",
                    "Mean AUPRC over the levels of the kind, undefined if that of one is; for all "
                    "kinds, their mean.",
                ),
            ),
            **_estimate(
                "correlation",
                Column(
                    "Correlation with strength",
                    "Spearman correlation over networks of the strength, 0 for baselines, and the "
                    "mean distance from the baselines; for all kinds, their mean.",
                    "signed",
                ),
            ),
            "detected": Column(
                "Detected", "Number of changes whose shift has p of 0.05 or less.", "count"
            ),
            "arms": Column(
                "Tested changes", "Number of changes of the kind whose shift has a p.", "count"
            ),
            "undetected": Column("Not detected", "The other tested changes.", "text"),
        },
        first=("change", "metric", "detected", "arms", "auprc", "correlation", "undetected"),
    ),
    "equal_accuracy": Table(
        "Map shift at equal accuracy",
        "A row per augmentation, then per control, in the metric of the summary. Intervals are 90 "
        "% intervals, each end one-sided at 5 %, over models and images.",
        {
            "augmentation": AUGMENTATION,
            "reference": REFERENCE,
            "metric": METRIC,
            "accuracy": ACCURACIES["accuracy"],
            "reference_accuracy": ACCURACIES["reference_accuracy"],
            "close_pairs": Column(
                "Pairs of equal accuracy",
                "Number of pairs of a model of the augmentation and a reference model whose test "
                "accuracies differ by half a percentage point at most.",
                "count",
            ),
            "across_pairs": Column(
                "Pairs of models",
                "Number of pairs of a model of the augmentation and a reference model.",
                "count",
            ),
            "floor": FLOOR,
            **_estimate("shift", SHIFT, "90 %"),
            "shift_p_holm": SHIFTS["shift_p_holm"],
            **_estimate(
                "adjusted_shift",
                replace(
                    SHIFT,
                    label="Map shift at equal accuracy",
                    about="Map shift between models of equal test accuracy, by regression over "
                    "pairs of models.",
                ),
                "90 %",
            ),
            "relative_adjusted_shift": Column(
                "Shift at equal accuracy, % of noise floor",
                "This shift divided by the noise floor BB.",
                "change",
            ),
            "adjusted_p": Column(
                "p at equal accuracy",
                "One-sided p of this shift, by permutation of models in residuals.",
                "p",
            ),
            "adjusted_p_holm": Column(
                "p at equal accuracy, Holm",
                "This p after Holm's correction over the augmentations.",
                "p",
            ),
            "note": replace(NOTE, about="Why this shift is not tested; empty if it is."),
            "accuracy_effect": Column(
                "Effect of accuracy",
                "Distance that a difference in accuracy of one percentage point adds to that of "
                "two models, as a share of the noise floor; it grows with the squared difference.",
                "change",
            ),
            "inflation": Column(
                "Variance inflation",
                "How many times as large the variance of the shift is by the adjustment; large if "
                "the accuracies of the two arms hardly overlap.",
                "decimal",
            ),
            "models": MODELS,
            "reference_models": REFERENCE_MODELS,
            "images": IMAGES,
        },
        first=(
            *("augmentation", "accuracy", "reference_accuracy", "shift", "shift_p_holm"),
            *("adjusted_shift", "relative_adjusted_shift", "adjusted_p_holm", "inflation"),
        ),
    ),
    "matched_accuracy": Table(
        "Map shift between networks matched in accuracy",
        "A row per augmentation, then per control, with `cam.epochs`: the kept networks against "
        "reference networks after the epoch in which their validation accuracy is closest, at most "
        "half a percentage point away. Intervals are 90 % intervals over models.",
        {
            "augmentation": AUGMENTATION,
            "reference": REFERENCE,
            "metric": METRIC,
            "models": MODELS,
            "matched_models": Column(
                "Matched models",
                "Number of models with two or more matched reference models.",
                "count",
            ),
            "matched_pairs": Column(
                "Matched pairs",
                "Number of pairs of a model and a reference model of equal accuracy.",
                "count",
            ),
            "accuracy_gap": Column(
                "Difference in accuracy",
                "Mean difference of the validation accuracies of matched pairs.",
                "points",
            ),
            "epochs": Column(
                "Epochs", "Epochs of the matched reference models, with numbers of pairs.", "text"
            ),
            "between": BETWEEN,
            "within": WITHIN,
            "floor": replace(
                FLOOR,
                about="Mean distance between the maps of two reference models that are matched to "
                "the same model.",
            ),
            **_estimate("shift", SHIFT, "90 %"),
            "relative_shift": SHIFTS["relative_shift"],
        },
        first=("augmentation", "matched_models", "matched_pairs", "shift", "relative_shift"),
    ),
    "during_training": Table(
        "Map shift during training",
        "A row per epoch of `cam.epochs` and augmentation, in the metric of the summary; the last "
        "epoch is that of the weights that training keeps. Models are compared with reference "
        "models of the same epoch. Intervals of accuracies are 95 % intervals, those of the shift "
        "90 % intervals, each end one-sided at 5 %, over models and images.",
        {
            "epoch": EPOCH,
            "augmentation": AUGMENTATION,
            "reference": REFERENCE,
            **_estimate("accuracy", ACCURACIES["accuracy"]),
            **_estimate("reference_accuracy", ACCURACIES["reference_accuracy"]),
            **{name: ACCURACIES[name] for name in ACCURACIES if "accuracy_change" in name},
            "accuracy_change_p_holm": replace(
                _P_CHANGE_HOLM,
                about="Two-sided p of the accuracy change, corrected by Holm's method over the "
                "augmentations of an epoch.",
            ),
            "metric": METRIC,
            "between": BETWEEN,
            "within": WITHIN,
            "floor": FLOOR,
            "net": NET,
            "tightening": TIGHTENING,
            **_estimate("shift", SHIFT, "90 %"),
            **_estimate(
                "relative_shift",
                replace(
                    SHIFTS["relative_shift"],
                    about="Map shift E divided by the noise floor BB of the epoch.",
                ),
                "90 %",
            ),
            "shift_p_holm": replace(
                SHIFTS["shift_p_holm"],
                about="One-sided p of the map shift, corrected by Holm's method over the "
                "augmentations of an epoch.",
            ),
            "models": MODELS,
            "reference_models": REFERENCE_MODELS,
            "images": IMAGES,
        },
        first=(
            *("augmentation", "epoch", "accuracy", "accuracy_change", "floor", "shift"),
            *("relative_shift", "shift_p_holm"),
        ),
    ),
    "during_training_onset": Table(
        "Epoch in which the map shift appears",
        "A row per augmentation or control.",
        {
            "augmentation": AUGMENTATION,
            "reference": REFERENCE,
            "metric": METRIC,
            "epochs": Column("Epochs", "Number of epochs with maps.", "count"),
            "tested": Column("Tested epochs", "Number of epochs whose shift is tested.", "count"),
            "shift_from": replace(
                EPOCH,
                label="Map shift from epoch",
                about="First epoch from which on the map shift is significant at all later epochs; "
                "empty if it is not significant at the end.",
            ),
            "accuracy_from": replace(
                EPOCH,
                label="Accuracy change from epoch",
                about="The same for the accuracy change.",
            ),
        },
    ),
    "variants": Table(
        "Map shift for several kinds of maps",
        "A row per variant of the maps (`cam.variants`) and augmentation, in the metric of the "
        "summary. Intervals are 90 % intervals, each end one-sided at 5 %.",
        {
            "variant": VARIANT,
            "maps": Column("Maps", "CAM method, explained class and target layer.", "text"),
            "augmentation": AUGMENTATION,
            "reference": REFERENCE,
            "metric": METRIC,
            "floor": FLOOR,
            "net": NET,
            "tightening": TIGHTENING,
            **_estimate("shift", SHIFT, "90 %"),
            **_estimate(
                "relative_shift",
                replace(
                    SHIFTS["relative_shift"],
                    about="Map shift E divided by the noise floor BB of the variant.",
                ),
                "90 %",
            ),
            "shift_p_holm": replace(
                SHIFTS["shift_p_holm"],
                about="One-sided p of the map shift, corrected by Holm's method over the "
                "augmentations of the variant.",
            ),
            "above_floor": Column(
                "Above the noise floor",
                "Whether the shift is positive and significant; empty if it is not tested.",
                "text",
            ),
            "rank": Column(
                "Rank",
                "Rank of the shift among the augmentations of the variant, 1 the largest.",
                "decimal",
            ),
        },
    ),
    "variants_agreement": Table(
        "Agreement of the kinds of maps",
        "A row per augmentation or control: in how many variants its map shift is above the noise "
        "floor, and where the answer differs from that of the main variant.",
        {
            "augmentation": AUGMENTATION,
            "variants": Column("Variants", "Number of variants.", "count"),
            "tested": Column("Tested", "Number of variants in which the shift is tested.", "count"),
            "above_floor": Column(
                "Above the noise floor",
                "Number of variants in which the shift is positive and significant.",
                "count",
            ),
            "positive": Column(
                "E > 0", "Number of variants in which the map shift is positive.", "count"
            ),
            "net_positive": Column(
                "N > 0", "Number of variants in which the net distance is positive.", "count"
            ),
            "net_larger": Column(
                "N > T",
                "Number of variants in which the net distance is larger than the tightening.",
                "count",
            ),
            "sign_consistent": Column(
                "Same sign", "Whether the map shift has the same sign in all variants.", "text"
            ),
            "rank_first": Column(
                "First rank", "Smallest rank over the variants; 1 is the largest shift.", "decimal"
            ),
            "rank_last": Column("Last rank", "Largest rank over the variants.", "decimal"),
            "rank_main": Column("Rank, main variant", "Rank in the main variant.", "decimal"),
            "relative_shift_min": Column(
                "Smallest shift, % of noise floor",
                "Smallest map shift over the variants, divided by the noise floor.",
                "change",
            ),
            "relative_shift_max": Column(
                "Largest shift, % of noise floor",
                "Largest map shift over the variants, divided by the noise floor.",
                "change",
            ),
            "different": Column(
                "Different in",
                "Variants in which the shift is above the noise floor and in the main variant is "
                "not, or the reverse.",
                "text",
            ),
        },
    ),
    "variants_ranking": Table(
        "Order of the augmentations for several kinds of maps",
        "One row. All variants are maps of the same networks, so that p does not say whether other "
        "networks would give the same order.",
        {
            "metric": METRIC,
            "kendall_w": Column(
                "Kendall's W",
                "Concordance of the variants in the order of the map shifts: 1 if all have the "
                "same order.",
            ),
            "p": Column("p", "p of W, by permutation of the ranks within each variant.", "p"),
            "variants": Column("Variants", "Number of variants.", "count"),
            "augmentations": Column("Augmentations", "Number of augmentations.", "count"),
        },
    ),
    "plan": Table(
        "Plan: detectable map shifts and costs",
        "A row per metric and reference of the study, then the cheapest design for each of several "
        "shifts. Limits of detectable shifts follow from the 95 % interval of the variability of "
        "the pilot, or are the range of the shipped studies.",
        {
            "design": Column(
                "Design", "`study`: the study as it is; `cheapest`: the cheapest design.", "text"
            ),
            "target_shift": Column(
                "Target shift, % of noise floor",
                "Map shift that the cheapest design detects with a power of 80 %.",
                "percent",
            ),
            "metric": METRIC,
            "reference": REFERENCE,
            "models": replace(MODELS, about="Number of networks of each augmentation."),
            "reference_models": REFERENCE_MODELS,
            "tests": Column("Tests", "Number of augmentations in Holm's correction.", "count"),
            "least_p": Column(
                "Least p", "Smallest possible p-value of E after Holm's correction.", "p"
            ),
            "variability": Column(
                "Variability from",
                "`pilot`: the baselines of this study; `shipped studies`: those of config/.",
                "text",
            ),
            "pilot_networks": Column("Pilot", "Number of baselines of the pilot.", "count"),
            "floor": FLOOR,
            **_estimate(
                "relative_variability",
                Column(
                    "Relative variability",
                    "Standard deviation of the residual distances between two networks without "
                    "augmentation, divided by the noise floor.",
                    "percent",
                ),
            ),
            **_estimate(
                "detectable",
                Column(
                    "Detectable shift, % of noise floor",
                    "Smallest map shift with a power of 80 %; empty if there is none.",
                    "percent",
                ),
            ),
            "networks": Column("Networks", "Number of networks of the study.", "count"),
            "hours": Column(
                "Hours",
                "Time of training and of making maps, one job after another.",
                "decimal",
                unit="hours",
            ),
            "memory_gb": Column("Memory", "Memory of the largest job.", "decimal", unit="GB"),
            "note": replace(NOTE, about="Why the map shift is not tested; empty if it is."),
        },
    ),
    "published": Table(
        "Published accuracies",
        "A row per score and augmentation: a published accuracy compared with the seeds of this "
        "study.",
        {
            "score": Column("Images used", "Validation or test images.", "code", codes="subset"),
            "augmentation": AUGMENTATION,
            "published": Column("Published", "Published accuracy.", "percent"),
            "published_rank": Column(
                "Published rank", "Rank of the published accuracy, 1 the highest.", "count"
            ),
            "mean": Column(
                "Mean",
                "Mean accuracy over the seeds of this study.",
                "percent",
                ends=("low", "high"),
                level="95 % prediction",
            ),
            "std": replace(STD_SEEDS, form="percent"),
            "seeds": SEEDS,
            "rank": Column("Rank", "Rank of the mean among the same augmentations.", "count"),
            "low": Column(
                "Mean, lower end",
                "Lower end of the 95 % prediction interval for the accuracy of one further seed.",
                "percent",
                end="lower",
            ),
            "high": Column(
                "Mean, upper end",
                "Upper end of the 95 % prediction interval for the accuracy of one further seed.",
                "percent",
                end="upper",
            ),
            "inside": Column(
                "Inside", "Whether the published accuracy lies in the prediction interval.", "text"
            ),
            "best": Column(
                "Best", "Number of seeds in which none of these augmentations is better.", "count"
            ),
            "above_baseline": Column(
                "Above baseline",
                "Number of seeds in which it is better than the baseline of the seed.",
                "count",
            ),
        },
    ),
    "distribution": Table(
        "Distribution of metrics over the test images",
        "A row per pairs used, metric and augmentation: the numbers of the box plots. Each image "
        "has "
        "one value, the mean over pairs of models.",
        {
            "metric": METRIC,
            "augmentation": AUGMENTATION,
            **_described("images", "test images"),
            "pairs": Column(
                "Pairs used",
                "Pairs of a model and a baseline: those of the study's reference, or those with "
                "different seeds, which are comparable with pairs of baselines.",
                "code",
                codes="pairs",
            ),
        },
    ),
    "segments": Table(
        "Metrics by correctness of the predictions",
        "A row per metric, augmentation and segment of the images; seeds are pooled.",
        {
            "metric": METRIC,
            "augmentation": AUGMENTATION,
            "segment": Column(
                "Segment",
                "Which of the two models is correct, or whether their predictions agree.",
                "code",
                codes="segment",
            ),
            **_described("pairs", "pairs of maps"),
        },
    ),
    "model_means": Table(
        "Metrics of every model",
        "A row per augmented model: its accuracy, and the mean of each metric over the test "
        "images.",
        {"augmentation": AUGMENTATION, "seed": SEED, "accuracy": ACCURACY},
        metrics=True,
    ),
    "accuracy_correlation": Table(
        "Correlation of metrics with accuracy",
        "A row per metric and what the correlation is over. Intervals are Fisher's 95 % intervals.",
        {
            "metric": METRIC,
            "over": Column(
                "Over",
                "All models; models after subtracting the mean of their augmentation; or the "
                "means of "
                "augmentations.",
                "code",
                codes="over",
            ),
            **_estimate(
                "pearson",
                Column(
                    "Pearson's r",
                    "Correlation between the mean of the metric and test accuracy.",
                    "signed",
                ),
                stem="",
            ),
            "n": Column("Points", "Number of points.", "count"),
        },
    ),
    "correlation": _CORRELATION,
    "correlation_shared": replace(
        _CORRELATION, title="Correlation between augmentations, shared baselines"
    ),
    "strongest_pairs": Table(
        "Most strongly correlated pairs of augmentations",
        "A row per pair of augmentations that is among the most strongly correlated in some "
        "metric.",
        {
            "augmentation_a": AUGMENTATION_A,
            "augmentation_b": AUGMENTATION_B,
            "count": replace(
                COUNT,
                about="Number of metrics in which the pair is among the most strongly correlated.",
            ),
            "metrics": Column("Which metrics", "These metrics.", "metrics"),
        },
        sort=("-count",),
    ),
    "weakest_pairs": Table(
        "Most weakly correlated pairs of augmentations",
        "A row per pair of augmentations that is among the most weakly correlated in some metric.",
        {
            "augmentation_a": AUGMENTATION_A,
            "augmentation_b": AUGMENTATION_B,
            "count": replace(
                COUNT,
                about="Number of metrics in which the pair is among the most weakly correlated.",
            ),
            "metrics": Column("Which metrics", "These metrics.", "metrics"),
        },
        sort=("-count",),
    ),
    "pair_counts": Table(
        "Strongest and weakest pairs, compared with chance",
        "A row per pair of augmentations. p by permutation under the null hypothesis that the "
        "pairs "
        "are equally correlated.",
        {
            "pairs": Column(
                "Correlation",
                "Whether strong or weak correlations are counted.",
                "code",
                codes="pairs",
            ),
            "augmentation_a": AUGMENTATION_A,
            "augmentation_b": AUGMENTATION_B,
            "count": COUNT,
            "expected": Column("Expected", "Mean number under the null hypothesis."),
            "p": Column(
                "p",
                "Probability under the null hypothesis that a pair has at least this number.",
                "p",
            ),
            "p_any": Column(
                "p, any pair",
                "Probability that the largest number of all pairs is at least this one, which "
                "corrects "
                "for several pairs.",
                "p",
            ),
        },
        sort=("pairs", "-count"),
    ),
    "cluster_correlation": Table(
        "Correlation between augmentations, all metrics combined",
        "A row per metric and ordered pair of augmentations; all metrics are combined by the mean "
        "of "
        "Fisher's z.",
        {
            "metric": METRIC,
            "augmentation_a": AUGMENTATION_A,
            "augmentation_b": AUGMENTATION_B,
            "pearson": PEARSON,
        },
    ),
    "clusters": Table(
        "Clusters of augmentations",
        "A row per metric and cluster, in the order in which clusters are joined.",
        {
            "metric": METRIC,
            "first": Column("First part", "Augmentations of one part.", "augmentations"),
            "second": Column("Second part", "Augmentations of the other part.", "augmentations"),
            "members": Column("Cluster", "Augmentations of the new cluster.", "augmentations"),
            "distance": Column("Distance", "Mean distance 1 − r between the two parts."),
            "support": Column(
                "Support",
                "Share of the resamples of images and seeds whose tree has exactly this cluster.",
                "percent",
            ),
            "resamples": Column("Resamples", "Number of resamples.", "count"),
        },
    ),
    "extremes": Table(
        "Images with extreme values",
        "A row per metric: the image with the highest mean, and with the highest standard "
        "deviation, "
        "over augmentations.",
        {
            "metric": METRIC,
            "statistic": Column("Statistic", "Which is highest.", "code", codes="statistic"),
            "index": INDEX,
            "value": Column("Value", "Mean or standard deviation of this image."),
        },
    ),
    "uninformative": Table(
        "Similarity to uninformative reference maps",
        "A row per metric, uninformative map and augmentation: chance levels of the metric.",
        {
            "metric": METRIC,
            "level": Column(
                "Uninformative map",
                "With which the model's map is compared.",
                "code",
                codes="level",
            ),
            "augmentation": AUGMENTATION,
            **_described("images", "test images"),
        },
    ),
    "localisation": Table(
        "Localisation of every model",
        "A row per model, region and score: means over the test images that have the region.",
        _LOCALISATION,
    ),
    "localisation_summary": Table(
        "Localisation by augmentation",
        "A row per augmentation, region and score. Intervals are 95 % intervals over seeds and "
        "images "
        "(crossed bootstrap), not corrected for several augmentations.",
        _LOCALISATION_SUMMARY,
    ),
    "localisation_by_class": Table(
        "Localisation by class",
        "A row per augmentation, region and class of the test images, and one of all images: "
        "energy, the share of the map on the region. Intervals are 95 % intervals over seeds and "
        "images (crossed bootstrap), not corrected for several classes.",
        {
            "augmentation": AUGMENTATION,
            "region": _LOCALISATION_SUMMARY["region"],
            "class": replace(CLASS, form="code", codes="class"),
            "seeds": SEEDS,
            "images": replace(IMAGES, about="Number of test images of the class with the region."),
            "mean": Column("Energy", "Mean over seeds and images of the energy on the region."),
            "std": STD_SEEDS,
            "chance": Column("Chance", "Mean area of the region, the energy of a random map."),
            **_estimate("difference", DIFFERENCE),
        },
    ),
    **_of_mosaics(),
    **_ROBUSTNESS,
    "calibration": Table(
        "Calibration of every model",
        "A row per model, over all test images.",
        {"augmentation": AUGMENTATION, "seed": SEED, "accuracy": ACCURACY, **_CALIBRATION},
    ),
    "calibration_change": Table(
        "Change of calibration",
        "A row per measure and augmentation or control, compared with the baselines. Intervals are "
        "95 % intervals over models (Student's t).",
        {
            "measure": Column("Measure", "Measure of calibration.", "code", codes="calibration"),
            "augmentation": AUGMENTATION,
            "mean": Column("Mean", "Mean over models."),
            "baseline": Column("Baselines", "Mean over the baselines."),
            **_estimate("change", Column("Change", "Difference of the means.", "signed")),
            "change_p": Column("p", "Two-sided permutation test over models.", "p"),
            "change_p_holm": Column(
                "p (Holm)", "The same after Holm's correction over the augmentations.", "p"
            ),
            "note": replace(NOTE, about="Why the change is not tested; empty if it is."),
            "models": MODELS,
            "baselines": Column("Baselines compared", "Number of baselines.", "count"),
        },
    ),
    "spurious": Table(
        "Spurious cue, every model",
        "A row per model and group of test images.",
        {
            "augmentation": AUGMENTATION,
            "seed": SEED,
            "cue": CUE,
            "group": Column("Images used", "Group of test images.", "code", codes="group"),
            "images": IMAGES,
            "accuracy": ACCURACY,
            "cue_class_rate": Column(
                "Predicted as the class of the cue",
                "Share of the images that are predicted as the class with which the cue occurs in "
                "training.",
                "percent",
            ),
            "energy": Column("Map on the cue", "Share of the map that lies on the cue.", "percent"),
            "chance": Column(
                "Area of the cue", "Share of the image that the cue covers.", "percent"
            ),
        },
    ),
    "spurious_summary": Table(
        "Spurious cue, by augmentation",
        "A row per group of test images, measure and augmentation. Intervals are 95 % intervals "
        "over "
        "seeds and images (crossed bootstrap).",
        {
            "augmentation": AUGMENTATION,
            "cue": CUE,
            "group": Column("Images used", "Group of test images.", "code", codes="group"),
            "measure": Column("Measure", "What is measured.", "code", codes="spurious"),
            "seeds": SEEDS,
            "images": IMAGES,
            "mean": Column("Mean", "Mean over seeds.", "percent"),
            "std": replace(STD_SEEDS, form="percent"),
            "chance": Column(
                "Area of the cue", "Share of the image that the cue covers.", "percent"
            ),
            **_estimate("difference", replace(DIFFERENCE, form="points")),
        },
    ),
    "spurious_reliance": Table(
        "Reliance on spurious cues",
        "A row per cue and augmentation: images of other classes that are predicted as the class "
        "of the cue, with the cue minus without it. Intervals are 95 % intervals over seeds and "
        "images (crossed bootstrap).",
        {
            "augmentation": AUGMENTATION,
            "cue": CUE,
            "cue_class": Column(
                "Class of the cue", "Class with which the cue occurs in training.", "class"
            ),
            "seeds": SEEDS,
            "images": replace(IMAGES, about="Number of test images of other classes."),
            "mean": Column(
                "Reliance",
                "Share of the images with the cue that are predicted as its class, minus the share "
                "of those without; mean over seeds.",
                "points",
            ),
            "std": replace(STD_SEEDS, form="percent"),
            **_estimate("difference", replace(DIFFERENCE, form="points")),
        },
    ),
    "faithfulness": Table(
        "Faithfulness of every model",
        "A row per model and measure: means over the sampled test images.",
        {
            "augmentation": AUGMENTATION,
            "seed": SEED,
            "measure": Column("Measure", "Which measure.", "code", codes="measure"),
            "images": replace(IMAGES, about="Number of sampled test images."),
            "mean": Column("Maps", "Mean of the measure for the model's maps."),
            "random": Column("Random maps", "Mean of the measure for random maps."),
            "gain": Column(
                "Gain",
                "Difference of the two, positive if the model's map is better than the random map.",
                "signed",
            ),
            "worse": Column("Worse", "Share of the images with a negative gain.", "percent"),
        },
    ),
    "faithfulness_summary": Table(
        "Faithfulness by augmentation",
        "A row per augmentation and measure. Intervals are 95 % intervals over seeds and images "
        "(crossed bootstrap).",
        {
            "augmentation": AUGMENTATION,
            "measure": Column("Measure", "Which measure.", "code", codes="measure"),
            "seeds": SEEDS,
            "images": replace(IMAGES, about="Number of sampled test images."),
            "mean": Column("Maps", "Mean of the measure for the models' maps."),
            "std": STD_SEEDS,
            "random": Column("Random maps", "Mean of the measure for random maps."),
            "random_std": Column("SD of random maps", "Standard deviation over seeds (n − 1)."),
            **_estimate(
                "gain",
                Column(
                    "Gain",
                    "Difference of the two, positive if the models' maps are better than random "
                    "maps.",
                    "signed",
                ),
            ),
            "worse": Column("Worse", "Share of the images with a negative gain.", "percent"),
            **_estimate(
                "difference",
                replace(
                    DIFFERENCE, about="Gain minus that of the baselines, over seeds and images."
                ),
            ),
        },
    ),
    "faithfulness_curves": Table(
        "Curves of faithfulness",
        "A row per augmentation, kind of map, curve and share of the pixels: means over images.",
        {
            "augmentation": AUGMENTATION,
            "map": Column("Map", "In whose order pixels are changed.", "code", codes="map"),
            "curve": Column("Curve", "How pixels are changed.", "code", codes="curve"),
            "share": Column("Pixels", "Share of the pixels that are changed.", "percent"),
            "probability": Column(
                "Probability", "Mean probability of the explained class.", "percent"
            ),
            "std": replace(STD_SEEDS, form="percent"),
            "seeds": SEEDS,
        },
    ),
    "single_deletion": Table(
        "Single deletion of every model",
        "A row per network, as it was trained and fine-tuned on images with deleted cells (IDSDS).",
        {
            **_DELETION,
            "seed": SEED,
            "images": replace(IMAGES, about="Number of sampled test images."),
            "mean": _RANKS,
            **_DELETION_SCORES,
        },
    ),
    "single_deletion_summary": Table(
        "Single deletion by augmentation",
        "A row per augmentation and kind of network. Intervals are 95 % intervals over seeds and "
        "images.",
        {
            **_DELETION,
            "seeds": SEEDS,
            "images": replace(IMAGES, about="Number of sampled test images."),
            **_estimate("mean", _RANKS, stem=""),
            **_DELETION_SCORES,
            **_estimate("difference", DIFFERENCE),
        },
    ),
    "map_exchange": Table(
        "Exchanged maps, every pair of models",
        "A row per pair of a model and a baseline, measure and term.",
        {
            "augmentation": AUGMENTATION,
            "seed": SEED,
            "partner_seed": replace(SEED, label="Seed of the baseline"),
            **{name: _EXCHANGE[name] for name in ("measure", "term")},
            "images": replace(IMAGES, about="Test images whose two maps explain the same class."),
            "mean": _EXCHANGED,
        },
    ),
    "map_exchange_summary": Table(
        "Exchanged maps by augmentation",
        "A row per augmentation, measure and term. Intervals are 95 % intervals over pairs of "
        "models and images, left out if two pairs share a model. The rows of the baseline are of "
        "pairs of two baselines.",
        {
            **_EXCHANGE,
            "pairs": Column("Pairs", "Number of pairs of a model and a baseline.", "count"),
            "images": Column(
                "Images", "Mean number of test images whose two maps explain the same class."
            ),
            **_estimate("mean", _EXCHANGED, stem=""),
        },
    ),
    "sanity": Table(
        "Sanity checks of the maps",
        "A row per augmentation, check and metric. Intervals are 95 % intervals over seeds and "
        "images.",
        {
            **_SANITY,
            **_SANITY_MEAN,
            **_estimate(
                "above",
                Column(
                    "Above another image's map",
                    "Mean minus that for the map of another image of the same model.",
                    "signed",
                ),
            ),
            **_estimate("difference", DIFFERENCE),
        },
    ),
    "sanity_layers": Table(
        "Similarity after randomising layers",
        "A row per augmentation, check, metric and number of layers with random weights, from the "
        "classifier down. Intervals are 95 % intervals over seeds and images.",
        {
            **_SANITY,
            "metric": METRIC,
            "randomised": Column("Random layers", "Number of layers with random weights.", "count"),
            "layer": Column("Layer", "The last of them.", "text"),
            **_SANITY_MEAN,
        },
    ),
    "occlusion": Table(
        "Occluded images",
        "A row per size of the occluded square, class and measure. Intervals are 95 % intervals "
        "over "
        "images for one network (Wilson's of accuracy, Student's t of metrics).",
        {
            "size": Column(
                "Side", "Side of the occluded square; 0 for the whole image.", "count", "pixels"
            ),
            "class": replace(CLASS, form="code", codes="class"),
            "measure": Column(
                "Measure", "Accuracy, or similarity to the whole image's map.", "metric"
            ),
            "images": IMAGES,
            "undefined": Column("Undefined", "Number of images without a value.", "count"),
            **_estimate("mean", Column("Mean", "Mean over the images with a value."), stem=""),
        },
    ),
    "agreement": Table(
        "Agreement of the maps of CNN and CNN+SVM",
        "A row per metric and class. Intervals are Student's 95 % intervals over images for these "
        "two "
        "models.",
        {
            "metric": METRIC,
            "class": replace(CLASS, form="code", codes="class"),
            "pairs": Column("Pairs", "Number of pairs of maps.", "count"),
            "undefined": Column("Undefined", "Number of pairs without a value.", "count"),
            **_estimate("mean", Column("Same image", "Mean over maps of the same image."), stem=""),
            **_estimate(
                "chance",
                Column("Other image", "Mean over maps of two images of the same class (chance)."),
            ),
            **_estimate(
                "difference",
                Column("Difference", "The former minus the latter, paired by image.", "signed"),
            ),
        },
    ),
    "own_images": Table(
        "Own images",
        "A row per photograph.",
        {
            "image": Column("Image", "File of the photograph.", "text"),
            "class": replace(CLASS, about="Folder of the photograph, if it is a class."),
            "prediction": PREDICTION,
            "probability": Column("Probability", "Probability of the predicted class.", "percent"),
        },
        sort=("-probability",),
    ),
    **_of_classifiers("hybrid", "CNN and CNN+SVM"),
    **_of_classifiers("masking", "SVMs with masked pixels"),
}

# Tables of models, images and pairs of models, outside of tables/.
_PAIR = {
    "a": replace(AUGMENTATION, label="First arm", about="Augmentation of the first model."),
    "seed_a": replace(SEED, label="First seed", about="Seed of the first model."),
    "b": replace(AUGMENTATION, label="Second arm", about="Augmentation of the second model."),
    "seed_b": replace(SEED, label="Second seed", about="Seed of the second model."),
}
_LABEL_NUMBER = replace(
    LABEL, form="position", about="True class, a position in the list of classes."
)
_PREDICTED = replace(
    PREDICTION, form="position", about="Predicted class, a position in the list of classes."
)
_PER_IMAGE = {"index": INDEX, "label": _LABEL_NUMBER}
_SCORED = {
    name: Column(label, f"{label}, of the model's map.")
    for name, label in registry.LOCALISATION.items()
}

FILES: dict[str, Table] = {
    "aggregate": Table(
        "Metrics of every image",
        "A row per augmentation and test image: means over seeds.",
        {**_PER_IMAGE, "augmentation": AUGMENTATION},
        metrics=True,
        file="tables/aggregate.parquet",
    ),
    "across_seeds": Table(
        "Metrics of every image, different seeds",
        "A row per augmentation, control or baseline and test image: means over pairs of models "
        "with "
        "different seeds.",
        {**_PER_IMAGE, "augmentation": AUGMENTATION},
        metrics=True,
        file="tables/across_seeds.parquet",
    ),
    "similarity": Table(
        "Similarity to the baseline",
        "A row per test image and baseline with which the model is compared.",
        {
            **_PER_IMAGE,
            "baseline_prediction": replace(
                _PREDICTED,
                label="Predicted by the baseline",
                about="Class that the baseline predicts.",
            ),
            "prediction": _PREDICTED,
        },
        metrics=True,
        file="similarity/<augmentation>/<seed>.parquet",
    ),
    "pairs": Table(
        "Pairs of models",
        "A row per pair of models and test image.",
        {
            **_PAIR,
            **_PER_IMAGE,
            "prediction_a": replace(_PREDICTED, label="Predicted by the first"),
            "prediction_b": replace(_PREDICTED, label="Predicted by the second"),
            "constant_a": Column(
                "First map constant", "Whether the map is zero everywhere.", "text"
            ),
            "constant_b": Column(
                "Second map constant", "Whether the map is zero everywhere.", "text"
            ),
        },
        metrics=True,
        file="pairs/<augmentation>.parquet",
    ),
    "uninformative_images": Table(
        "Similarity to uninformative reference maps, every image",
        "A row per uninformative map, augmentation and test image.",
        {
            "level": TABLES["uninformative"].columns["level"],
            "augmentation": AUGMENTATION,
            **_PER_IMAGE,
        },
        metrics=True,
        file="uninformative.parquet",
    ),
    "localisation_images": Table(
        "Localisation, every image",
        "A row per region and test image that has it.",
        {
            **_PER_IMAGE,
            "prediction": _PREDICTED,
            "region": Column("Region", "Region of the image whose pixels are known.", "text"),
            "area": Column("Area", "Share of the image that the region covers.", "percent"),
            "constant": Column("Constant map", "Whether the map is constant.", "text"),
            **_SCORED,
            **{
                f"{name}_other": replace(
                    score,
                    label=f"{score.label}: another image",
                    about=score.about.replace(
                        "the model's map.", "the model's map of another image."
                    ),
                )
                for name, score in _SCORED.items()
            },
        },
        file="localisation/<augmentation>/<seed>.parquet",
    ),
    "mosaics_images": Table(
        "Localisation in mosaics, every mosaic",
        "A row per mosaic; the region is the cells of the explained class.",
        {},
        file="mosaics/<augmentation>/<seed>.parquet",
    ),
    "corruptions_images": Table(
        "Predictions for corrupted images",
        "A row per corruption, severity and image of the sample.",
        {
            "corruption": _CORRUPTION,
            "severity": _ROBUSTNESS["corruption_accuracy"].columns["severity"],
            **_PER_IMAGE,
            "prediction": _PREDICTED,
        },
        file="corruptions/<augmentation>/<seed>.parquet",
    ),
    "equivariance_images": Table(
        "Maps of transformed images, every image",
        "A row per transform, image of the sample, and image whose map is transformed.",
        {
            "transform": _TRANSFORM,
            "index": INDEX,
            "map": Column(
                "Transformed map",
                "Whose map is transformed and compared with that of the transformed image.",
                "code",
                codes="of_image",
            ),
            "prediction": _PREDICTED,
            "transformed_prediction": replace(
                _PREDICTED,
                label="Predicted class, transformed",
                about="Class that the model predicts for the transformed image.",
            ),
            "valid": Column("Valid region", "Share of the image that is compared.", "percent"),
        },
        metrics=True,
        file="equivariance/<augmentation>/<seed>.parquet",
    ),
    "representation_pairs": Table(
        "Features and predictions of pairs of models",
        "A row per pair of models and test image of the sample.",
        {
            **_PAIR,
            **_PER_IMAGE,
            "prediction_a": replace(_PREDICTED, label="Predicted by the first"),
            "prediction_b": replace(_PREDICTED, label="Predicted by the second"),
            **{
                name: Column(entry.label, f"{_sentence_case(entry.about)}.")
                for name, entry in registry.REPRESENTATIONS.items()
            },
        },
        file="representation_pairs/<augmentation>.parquet",
    ),
    "single_deletion_images": Table(
        "Single deletion, every image",
        "A row per kind of network and sampled test image.",
        {
            "network": _DELETION["network"],
            "index": INDEX,
            "correlation": replace(
                _RANKS, about=_RANKS.about.replace("; mean over images", "; NaN if undefined")
            ),
            "fall": Column("Fall", "Mean fall of the score of the true class without a cell."),
            "correct": Column("Correct", "Whether the image is classified correctly.", "text"),
            "correct_deleted": Column(
                "Correct without a cell", "Share of the cells without which it is.", "percent"
            ),
        },
        file="single_deletion/<augmentation>/<seed>.parquet",
    ),
    "map_exchange_images": Table(
        "Exchanged maps, every image",
        "A row per network, map and sampled test image whose two maps explain the same class.",
        {
            "network": Column("Network", "The model, or its partner, a baseline.", "text"),
            "map": Column("Map", "Of the model, or of its partner.", "text"),
            "index": INDEX,
            "deletion": Column("Deletion", "Area under the deletion curve."),
            "insertion": Column("Insertion", "Area under the insertion curve."),
        },
        file="map_exchange/<augmentation>/<seed>.parquet",
    ),
    "sanity_images": Table(
        "Sanity checks, every image",
        "A row per check, number of layers with random weights and sampled test image.",
        {
            "check": _SANITY["check"],
            "randomised": TABLES["sanity_layers"].columns["randomised"],
            "layer": TABLES["sanity_layers"].columns["layer"],
            "index": INDEX,
            "entropy": Column(
                "Entropy", "Entropy of the histogram of the map that is compared.", unit="nats"
            ),
        },
        metrics=True,
        file="sanity/<augmentation>/<seed>.parquet",
    ),
    "faithfulness_images": Table(
        "Curves of faithfulness, every image",
        "A row per sampled test image, kind of map, curve and share of the pixels.",
        {
            "index": INDEX,
            "map": TABLES["faithfulness_curves"].columns["map"],
            "curve": TABLES["faithfulness_curves"].columns["curve"],
            "share": TABLES["faithfulness_curves"].columns["share"],
            "probability": Column("Probability", "Probability of the explained class.", "percent"),
        },
        file="faithfulness/<augmentation>/<seed>.parquet",
    ),
    "split": Table(
        "Split",
        "A row per image.",
        {
            **_PER_IMAGE,
            "subset": SUBSET,
        },
        file="split.csv",
    ),
    "history": Table(
        "Training history",
        "A row per epoch.",
        {
            "epoch": EPOCH_NUMBER,
            "train_loss": Column("Training loss", "Mean loss over the images of the epoch."),
            "validation_loss": Column("Validation loss", "Mean loss over the validation images."),
            **{
                f"validation_{name}": replace(
                    score,
                    label=f"Validation {score.label if name == 'f1' else score.label.lower()}",
                    about=score.about.replace("test images", "validation images"),
                )
                for name, score in SCORES.items()
            },
            "learning_rate": Column(
                "Learning rate", "Learning rate of the last step; only if the rate changes."
            ),
            "seconds": Column(
                "Time", "Time since the start of the epoch's training.", "decimal", "s"
            ),
            "images_per_second": Column(
                "Speed", "Training images per second, including augmentation.", "count", "images/s"
            ),
        },
        file="models/<augmentation>/<seed>.csv",
    ),
    "efficiency": Table(
        "Resources of every job",
        "A row per job.",
        {
            "job": Column("Job", "Name of the job.", "text"),
            "wall_s": Column("Time", "Wall-clock time.", "decimal", "s"),
            "cpu_s": Column("CPU time", "CPU time of all threads.", "decimal", "s"),
            "peak_memory_mb": Column("Memory", "Largest resident memory.", "decimal", "MB"),
            "peak_gpu_memory_mb": Column(
                "GPU memory", "Largest memory on the GPU.", "decimal", "MB"
            ),
            "images_per_s": Column(
                "Speed", "Images trained on, mapped or compared per second.", "count", "images/s"
            ),
        },
        file="benchmarks/efficiency.csv",
    ),
}
FILES["mosaics_images"] = replace(
    FILES["mosaics_images"], columns=FILES["localisation_images"].columns
)
