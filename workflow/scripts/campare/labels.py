"""Labels of augmentations, architectures and metrics, which figures, tables and the report share.

Rules import this module, so it must not import matplotlib or pandas.
"""

from __future__ import annotations

import re

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
    "efficientnet_b0": "EfficientNet-B0",
    "resnet18": "ResNet-18",
    "resnet18_cifar": "ResNet-18, CIFAR stem",
    "densenet121": "DenseNet-121",
    "shufflenet_v2_x0_5": "ShuffleNet V2 (0.5×)",
    "small_cnn": "Small CNN",
    "small_cnn_wide": "Small CNN, wide",
    "shuffled": "Map of another image",
    "gaussian": "Central Gaussian",
    "edges": "Edges of the image",
    "untrained": "Untrained network",
    "duplicated_originals": "Duplicated originals",
    "longer_training": "Longer training",
}


def title(name: str) -> str:
    """An augmentation's or architecture's name as figures print it: color_jitter, Color jitter."""
    words = re.sub(r"\b(\d+)p(\d+)\b", r"\1.\2", name.replace("_", " "))  # arms of sweeps
    return TITLES.get(name, words[:1].upper() + words[1:])


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
