"""The settings that decide the weights of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from campare import feasibility
from campare.sizes import Size


@dataclass(frozen=True)
class Settings:
    """The settings that decide the weights, together with the data.

    Attributes
    ----------
    precision
        "float32", "tf32" (convolutions on CUDA, torch's default; float32 elsewhere), or "bfloat16"
        (autocast; weights, loss and optimizer stay float32).
    device
        "cpu", "cuda", "mps" or "auto".
    threads
        Number of CPU threads, on which the weights depend.
    copies
        Augmented copies of every image in addition to the original; 0 for the baseline, and for
        augmentation in place.
    resample
        "each_epoch" draws augmented images anew in every epoch, "once" draws them before the first.
    input_size
        Side of the square input of the network, or its [height, width], pixels.
    augment_at
        "native" augments images at their stored size, "input" after the resize to `input_size`;
        then all training images are rounded to uint8 after the resize.
    steps
        The augmentation: [name, all its parameters], applied in turn; empty: identity.
    cuda_graph
        On CUDA, replay each step as one recorded graph (`replay.Replay`).
    evaluate
        Subsets of the split that are evaluated after every epoch; "validation" selects the best.
    shuffle
        "once": the same training list in every epoch; "each_epoch": a new one in each.
    sampling
        "all": every training image once per epoch; "balanced": as many images, drawn and shuffled
        anew in every epoch, with equally many of each class (`sampling.counts`).
    probability
        Augmentation in place: the probability with which an image is replaced by an augmented
        version; None: images are not replaced.
    optimizer
        "adam", "adamw", "sgd" or "muon"; `momentum` and `nesterov` are of the last two.
    schedule
        "constant", "linear", "cosine", "one_cycle" or "steps" (`schedules.Schedule`), with `warmup`
        and `milestones` in epochs; warmup None: 0, but 0.3 of the epochs for "one_cycle".
    loss
        "cross_entropy" or "binary_cross_entropy", with `label_smoothing` and `class_weights`
        (None or "balanced"): `losses.Loss`.
    gradient_clip
        The largest norm of the gradient of all parameters; None: no limit.
    ema
        Decay of the exponential moving average of the weights, which is then evaluated and kept
        (`averages.Average`); None: no average.
    early_stopping
        Epochs without a higher validation accuracy after which training ends; None: never.
    keep
        The epoch whose weights are kept: "best" (highest validation accuracy, the first of equals)
        or "last".
    head_learning_rate, bias_learning_rate
        Learning rate of the classifier head, and of the biases and other vectors of the other
        layers, with the same schedule; None: `learning_rate`.
    freeze
        Parameters that are not trained: "none", "all_but_head", or dotted names of layers.
    freeze_batch_norm
        Keep the statistics and weights of batch norms: they stay in evaluation mode.
    recalibrate_batch_norm
        Number of training batches from which batch-norm statistics are computed anew after every
        epoch, before it is evaluated (`finetuning.recalibrate`); None: they are not.
    weights, weights_sha256
        Path of the file of initial weights and its digest, or "published"; None: those of the seed.
    normalise
        See `preprocess.normalisation`.
    batch_norm_momentum
        Momentum of all batch norms; None: the network's own.
    architecture_parameters
        Parameters of an architecture in a file of the user.
    """

    architecture: str
    input_size: Size
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    precision: str
    device: str
    threads: int
    copies: int
    resample: str
    augment_at: str
    init_seed: int
    order_seed: int
    augmentation_seed: int
    steps: Sequence[tuple[str, dict[str, Any]]] = ()
    cuda_graph: bool = False
    evaluate: Sequence[str] = ("validation",)
    shuffle: str = "once"
    sampling: str = "all"
    probability: float | None = None
    optimizer: str = "adam"
    momentum: float = 0.9
    nesterov: bool = False
    schedule: str = "constant"
    warmup: float | None = None
    milestones: Sequence[float] = ()
    decay: float = 0.1
    loss: str = "cross_entropy"
    label_smoothing: float = 0
    class_weights: str | None = None
    gradient_clip: float | None = None
    ema: float | None = None
    early_stopping: int | None = None
    keep: str = "best"
    head_learning_rate: float | None = None
    bias_learning_rate: float | None = None
    freeze: str | Sequence[str] = "none"
    freeze_batch_norm: bool = False
    recalibrate_batch_norm: int | None = None
    weights: str | None = None
    weights_sha256: str | None = None
    normalise: str | Mapping[str, Any] = "training"
    batch_norm_momentum: float | None = None
    architecture_parameters: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, training: Mapping[str, Any], split: pd.DataFrame) -> Settings:
        """Settings from `Design.training`, for the training images of a split.

        `steps_per_epoch`, if given instead of `batch_size`, is converted to the batch size that
        divides the training list into this number of batches.

        Raises
        ------
        CampareError
            No batch size gives this number of steps.
        """
        if "steps_per_epoch" not in training:
            return cls(**training)
        fixed = dict(training)
        steps = fixed.pop("steps_per_epoch")
        length = int((split["subset"] == "train").sum()) * (1 + fixed["copies"])
        return cls(batch_size=feasibility.batch_size(length, steps), **fixed)
