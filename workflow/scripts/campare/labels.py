"""Labels of augmentations, architectures and metrics, which figures, tables and the report share.

Rules import this module, so it must not import matplotlib or pandas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from campare import registry

# First words of metrics' labels that keep their capital letter within a sentence.
NAMES = ("Pearson", "Spearman", "Shannon", "KL", "Class-KLD")
TITLES = {
    "cutmix": "CutMix",
    "cutmix_mixed": "CutMix, mixed labels",
    "saliencymix": "SaliencyMix",
    "hide_and_seek": "Hide-and-Seek",
    "grid_mask": "GridMask",
    "rand_augment": "RandAugment",
    "trivial_augment_wide": "TrivialAugment Wide",
    "auto_augment": "AutoAugment",
    "augmix": "AugMix",
    "jpeg": "JPEG",
    "cifar_cnn": "CIFAR CNN",
    "efficientnet_b0": "EfficientNet-B0",
    "resnet18": "ResNet-18",
    "resnet18_cifar": "ResNet-18, CIFAR stem",
    "densenet121": "DenseNet-121",
    "shufflenet_v2_x0_5": "ShuffleNet V2 (0.5×)",
    "small_cnn": "Small CNN",
    "small_cnn_wide": "Small CNN, wide",
    "fashion_cnn": "Fashion CNN",
    "fashion_cnn_wide": "Fashion CNN, wide",
    "fashion_cnn_third": "Fashion CNN, third convolution",
    "fashion_cnn_deep": "Fashion CNN, deep",
    "two_conv": "Two convolutions",
    "shuffled": "Map of another image",
    "gaussian": "Central Gaussian",
    "edges": "Edges of the image",
    "untrained": "Untrained network",
    "duplicated_originals": "Duplicated originals",
    "longer_training": "Longer training",
    "grid_pointing": "Grid pointing game",
}
# Titles that are the name itself, with capitals, hyphens and spaces.
SPELT = [
    name
    for name, label in TITLES.items()
    if re.sub(r"\W", "", label).lower() == name.replace("_", "")
]

DATA_SETS = {"cifar10": "CIFAR-10", "fashion_mnist": "Fashion-MNIST", "mnist": "MNIST"}

# Division of the test images → its segments, with their labels in figures.
SEGMENTS = {
    "correctness": {
        "both_correct": "Both correct",
        "only_baseline_correct": "Only baseline correct",
        "only_augmented_correct": "Only augmented correct",
        "both_incorrect": "Both incorrect",
    },
    "agreement": {"agree": "Predictions agree", "disagree": "They disagree"},
}
# Models of the stages hybrid and masking.
CLASSIFIERS = {
    "cnn": "CNN",
    "network": "Deeper CNN",
    "cnn-svm": "CNN+SVM",
    "unmasked": "SVM, all pixels",
    "masked": "SVM+Mask",
    "mask-same-class": "SVM, mask of another image of the same predicted class",
    "mask-any-class": "SVM, mask of another image of any class",
    "mask-alone": "SVM, the mask alone",
}
SCORES = {
    "accuracy": "accuracy",
    "precision": "precision (macro)",
    "recall": "balanced accuracy (macro recall)",
    "f1": "F1 score (macro)",
}
# What an accuracy correlation is over.
OVER = {
    "models": "models",
    "within": "models, within augmentations",
    "augmentations": "augmentation means",
}
CURVES = {
    "deletion": "Deletion ↓",
    "insertion": "Insertion ↑",
    "road_most": "ROAD, most\nrelevant first ↓",
    "road_least": "ROAD, least\nrelevant first ↑",
}
CALIBRATION = {
    "confidence": "Mean confidence",
    "ece": "Expected calibration error",
    "brier": "Brier score",
    "nll": "Negative log-likelihood (nats)",
}
# Sanity checks of the maps, as tables name them.
SANITY = {
    "mprt": "All layers randomised (MPRT)",
    "smprt": "All layers randomised, mean maps of noisy images (sMPRT)",
    "emprt": "Relative rise of the entropy, all layers randomised (eMPRT)",
    "random_logit": "Map of another class (random logit)",
    "other_image": "Map of another image",
    "permuted_labels": "Network trained on permuted labels",
}
SUBSETS = {"train": "Training", "validation": "Validation", "test": "Test"}
# Networks of the stage single_deletion.
DELETION = {
    "finetuned": "Fine-tuned on images with deleted cells (IDSDS)",
    "trained": "As trained",
}
# What takes a corruption's place in tables of the stage robustness, then the corruptions.
CORRUPTIONS = {
    "none": "Uncorrupted images",
    "all": "Mean of the corruptions",
    "loss": "Loss by corruption",
    "gaussian_noise": "Gaussian noise",
    "shot_noise": "Shot noise",
    "impulse_noise": "Impulse noise",
    "defocus_blur": "Defocus blur",
    "glass_blur": "Glass blur",
    "motion_blur": "Motion blur",
    "zoom_blur": "Zoom blur",
    "snow": "Snow",
    "fog": "Fog",
    "brightness": "Brightness",
    "contrast": "Contrast",
    "elastic_transform": "Elastic transform",
    "pixelate": "Pixelate",
    "jpeg_compression": "JPEG compression",
    "frost": "Frost",
}
GAINS = {"deletion": "Deletion", "insertion": "Insertion", "road": "ROAD"}
# Terms of the stage map_exchange.
EXCHANGE = {
    "difference": "Each with its own maps",
    "networks": "Difference of the networks",
    "maps": "Difference of the maps",
    "own": "Advantage of the own map",
}
CUE_GROUPS = {
    "cue_class_with_cue": "Class of the cue, with cue",
    "cue_class_without_cue": "Class of the cue, without cue",
    "other_classes_with_cue": "Other classes, with cue",
    "other_classes_without_cue": "Other classes, without cue",
}
# Groups of images in the place of a class.
GROUPS = {
    "all": "All images",
    "same prediction": "Same prediction",
    "different predictions": "Different predictions",
}

# Kinds of figures, the folders in figures/.
FIGURES = {
    "accuracy": "Metrics against accuracy",
    "agreement": "Agreement of CNN and CNN+SVM",
    "architectures": "Architectures",
    "between": "Map shift between augmentations",
    "boxplot": "Similarity to the baseline",
    "calibration": "Calibration",
    "clusters": "Clusters of augmentations",
    "confusion": "Confusion matrices",
    "correlation": "Correlation between augmentations",
    "correlation_shared": "Correlation, shared baselines",
    "corruptions": "Accuracy on corrupted images",
    "dose_response": "Strength of an augmentation",
    "equivariance": "Maps of transformed images",
    "during_training": "During training",
    "equal_accuracy": "Networks of equal accuracy",
    "examples": "Augmented images",
    "extremes": "Images with extreme values",
    "faithfulness": "Faithfulness of the maps",
    "hybrid": "Maps of CNN and CNN+SVM",
    "known_changes": "Known changes",
    "localisation": "Localisation",
    "localisation_by_class": "Localisation by class",
    "map_exchange": "Deletion and insertion with exchanged maps",
    "masks": "Inputs of the SVMs",
    "mosaics": "Localisation in mosaics",
    "occlusion": "Occluded images",
    "overlays": "Maps of example images",
    "own_images": "Own images",
    "pairs": "Strongest and weakest pairs",
    "performance": "Scores on the test images",
    "representations": "Features and predictions",
    "sanity": "Sanity checks of the maps",
    "scores": "Scores of classifiers",
    "segments": "Similarity by correctness",
    "sets": "Training sets",
    "single_deletion": "In-domain single deletion",
    "sheets": "Confidence of the predictions",
    "shift_by_class": "Map shift by class",
    "spurious": "Spurious cue",
    "subsets": "Images of each class",
    "summary": "Summary",
    "svm_confusion": "Confusion matrices of classifiers",
    "training": "Training curves",
    "uninformative": "Uninformative reference maps",
    "variants": "Variants of the maps",
}


def title(name: str) -> str:
    """An augmentation's or architecture's name as figures print it: color_jitter, Color jitter.

    Names of code (net.py:net, timm:resnet18) are printed as they are. A known name keeps its
    capitals at the beginning of another: cutmix_added, CutMix added.
    """
    if ":" in name or name in TITLES:
        return TITLES.get(name, name)
    words = re.sub(r"\b(\d+)p(\d+)\b", r"\1.\2", name.replace("_", " "))  # arms of sweeps
    known = max((start for start in SPELT if name.startswith(f"{start}_")), key=len, default="")
    return TITLES[known] + words[len(known) :] if known else words[:1].upper() + words[1:]


def data_set(data: Mapping[str, Any]) -> str:
    """The data set of a study, from `data` in its config: Fashion-MNIST, image folder data/x."""
    name = str(data["name"])
    if name == "image_folder":
        return f"image folder {data['root']}"
    return DATA_SETS.get(name, name.removeprefix("torchvision:"))


def control_title(name: str) -> str:
    """The same, with "(step-matched)" added to the step-matched controls."""
    return f"{title(name)} (step-matched)" if name in registry.MATCHED else title(name)


def in_sentence(label: str) -> str:
    """A metric's label within a sentence: overlap rate (top 20 %), Pearson correlation."""
    first = label.split()[0]
    return label if first in NAMES else first.lower() + label[len(first) :]


def distance_label(metric: str) -> str:
    """The distance that a metric gives: 1 − overlap rate (top 20 %), mean absolute difference."""
    entry = registry.metric(metric)
    named = in_sentence(entry.label)
    return f"{entry.same:g} − {named}" if entry.same else named
