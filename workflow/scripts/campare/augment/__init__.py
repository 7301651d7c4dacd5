"""Augmentations of batches: `core`, and one module per kind."""

from campare.augment.core import Augmenter, Batch, Draw

__all__ = ["Augmenter", "Batch", "Draw"]
