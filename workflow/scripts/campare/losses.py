"""The loss of a training, and of an evaluation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from campare.settings import Settings


class Loss:
    """Cross-entropy or binary cross-entropy of scores (B, K), as a mean over images.

    "cross_entropy" is -Σ t log softmax(scores). "binary_cross_entropy" treats each class as a
    decision of its own, -[t log σ(score) + (1 - t) log(1 - σ(score))], averaged over the classes,
    as timm's `BinaryCrossEntropy`. Label smoothing s replaces targets t by (1 - s) t + s/K in
    both.

    With class weights "balanced", N/(K n) for a class of n among N images (as in scikit-learn),
    cross-entropy weights the term of each class, as torch does; binary cross-entropy weights the
    image, by the mean weight of its classes. The weights are 1 on average over the training
    images, so sums are divided by the number of images.

    Parameters
    ----------
    counts
        int64 (K,): number of training images of each class.
    """

    def __init__(self, settings: Settings, counts: Tensor) -> None:
        self.binary = settings.loss == "binary_cross_entropy"
        self.smoothing = float(settings.label_smoothing)
        self.weights: Tensor | None = None
        if settings.class_weights == "balanced":
            # A class without images has the weight of a class with one.
            self.weights = counts.sum() / (len(counts) * counts.clamp(min=1))

    def __call__(self, scores: Tensor, targets: Tensor) -> Tensor:
        """The loss of a training batch; `targets` float32 (B, K), shares of the classes."""
        if not self.binary:
            return F.cross_entropy(
                scores, targets, weight=self.weights, label_smoothing=self.smoothing
            )
        smooth = targets
        if self.smoothing:
            smooth = targets * (1 - self.smoothing) + self.smoothing / targets.shape[1]
        of_image = None if self.weights is None else (targets @ self.weights)[:, None]
        return F.binary_cross_entropy_with_logits(scores, smooth, weight=of_image)

    def plain(self, scores: Tensor, labels: Tensor) -> Tensor:
        """The loss of an evaluation, without weights and smoothing; `labels` int64 (B,)."""
        if not self.binary:
            return F.cross_entropy(scores, labels)
        targets = torch.eye(scores.shape[1], device=scores.device)[labels]
        return F.binary_cross_entropy_with_logits(scores, targets)
