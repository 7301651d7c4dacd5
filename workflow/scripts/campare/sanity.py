"""Sanity checks of maps: do they depend on the weights, the class and the labels?

- Model parameter randomisation test (MPRT, Adebayo et al. 2018, section 3.1, cascading): the layers
  of a network are given random weights one after another, from the top down, and after each the map
  is compared with that of the trained network. A map that stays the same does not depend on what
  the network has learnt.
- sMPRT (Hedström et al. 2024, section 3.2): the same with the mean of the maps of noisy copies of
  the image, because the noise of single maps lowers their similarity for another reason.
- eMPRT (the same, section 3.3): (ξ(ê) − ξ(e)) / ξ(e), the relative rise of the entropy ξ of the
  histogram of the map, from the trained network, e, to the network with random weights only, ê. It
  needs no measure of similarity.
- Random logit test (Sixt, Granz and Landgraf 2020, section 5): similarity of the map of the
  explained class to that of another class, drawn at random.
- Data randomisation test (Adebayo et al. 2018, section 3.2): similarity to the map of a network
  that was trained on permuted labels.

The similarity to the map of another image under the same network is the reference: what all maps of
a network have in common, such as a high centre, makes it larger than zero.

Random weights are the initial weights of the architecture. Entries that are the same for every
seed, such as a classifier that starts at zero or a convolution that starts as the identity, are
drawn as torch draws them (uniform, ±1/√fan-in); batch norms are as before training. Quantus gives
every layer torch's initial weights and statistics (`reset_parameters`), also where an architecture
has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from campare import cams, maps, models, seeding, statistics, uninformative
from campare.design import BASELINE, Model
from campare.maps import Floats
from campare.preprocess import prepare
from campare.sizes import Size, pair
from campare.store import Store

Doubles = NDArray[np.float64]
State = Mapping[str, Tensor]

MPRT, SMPRT, EMPRT = "mprt", "smprt", "emprt"
LOGIT, OTHER, PERMUTED = "random_logit", "other_image", "permuted_labels"
# Checks that compare two maps; those with a reference are compared with `OTHER`.
COMPARED = (MPRT, SMPRT, LOGIT, PERMUTED, OTHER)
# Streams of `seeding.words`.
_WEIGHTS, _NOISE, _CLASS, _LABELS = range(4)


class Layer(NamedTuple):
    """A layer, and the names of the tensors in the state of the network that belong to it."""

    name: str
    tensors: tuple[str, ...]


def layers(network: nn.Module, shape: models.Shape) -> list[Layer]:
    """The layers of a network that have weights, from the top (the classifier) to the image.

    The order is that in which they run. A layer has a tensor of two or more dimensions; batch norms
    and other vectors belong to the layer before them.

    Parameters
    ----------
    shape
        (C, H, W) of a prepared image.
    """
    running: list[str] = []
    handles = [
        module.register_forward_pre_hook(lambda _, __, name=name: running.append(name))
        for name, module in network.named_modules()
    ]
    try:
        models.check_forward(network, shape)
    finally:
        for handle in handles:
            handle.remove()
    state = network.state_dict()
    of_module: dict[str, list[str]] = {name: [] for name in running}
    for tensor in state:
        owner = tensor.rpartition(".")[0]
        while owner not in of_module:  # its weights are used without running it
            owner = owner.rpartition(".")[0]
        of_module[owner].append(tensor)
    found: list[Layer] = []
    vectors: list[str] = []  # before the first layer
    for name, tensors in of_module.items():
        if any(state[tensor].ndim > 1 for tensor in tensors):
            found.append(Layer(name or "network", (*vectors, *tensors)))
            vectors = []
        elif found:
            found[-1] = Layer(found[-1].name, (*found[-1].tensors, *tensors))
        else:
            vectors += tensors
    return found[::-1]


def counts(total: int, points: int) -> list[int]:
    """Numbers of randomised layers after which maps are compared: 1 to `total`, `points` at most.

    They are evenly spaced, and `total` is always one of them.
    """
    return sorted({round(n) for n in np.linspace(total, 1, min(points, total))})


def random_weights(build: Callable[..., nn.Module], seed: int, model: int) -> dict[str, Tensor]:
    """The state of a network with random weights only.

    Parameters
    ----------
    build
        A function of `seed`: the network with the initial weights of this seed.
    seed, model
        The seed of the stage, and that of the model; together they decide the weights. They differ
        from the initial weights of the model's own training, to which its weights may be similar.
    """
    first, second = _words(seed, [model], 2, _WEIGHTS)[0].tolist()
    network = build(seed=first)
    state, other = network.state_dict(), build(seed=second).state_dict()
    generator = torch.Generator().manual_seed(first)
    for name, _ in network.named_parameters():
        tensor = state[name]
        if tensor.ndim > 1:
            bound = tensor[0].numel() ** -0.5
            drawn = torch.empty_like(tensor).uniform_(-bound, bound, generator=generator)
            state[name] = torch.where(tensor == other[name], drawn, tensor)
    return state


def permuted_labels(labels: NDArray[np.int64], split: pd.DataFrame, seed: int) -> NDArray[np.int64]:
    """Labels int64 (N,), of which those of the training and validation images are permuted.

    They are exchanged among all of these images, so that classes keep their numbers of images.

    Parameters
    ----------
    split
        Columns `index` and `subset`.
    """
    used = split["index"][split["subset"].isin(["train", "validation"])].to_numpy()
    order = _words(seed, used, 1, _LABELS)[:, 0].argsort(stable=True).numpy()
    permuted = labels.copy()
    permuted[used] = labels[used[order]]
    return permuted


def other_classes(targets: ArrayLike, classes: int, index: ArrayLike, seed: int) -> NDArray[Any]:
    """A random other class for every image: int64 (N,), each with the same probability.

    Parameters
    ----------
    targets, index
        int (N,): the explained classes, and positions of the images in the data set.
    """
    target = np.asarray(targets, np.int64)
    drawn = _words(seed, index, 1, _CLASS)[:, 0].numpy()
    return np.asarray((target + 1 + drawn % (classes - 1)) % classes)


def noised(inputs: Tensor, index: ArrayLike, noise: float, sample: int, seed: int) -> Tensor:
    """Prepared images with Gaussian noise: float32 (N, C, H, W).

    Parameters
    ----------
    inputs
        float32 (N, C, H, W), prepared images.
    index
        int (N,), positions of the images in the data set, which decide the noise with `sample` and
        `seed`.
    noise
        Standard deviation, as a share of the range of values of each image.
    """
    count = inputs[0].numel()
    places = torch.tensor(np.array(index, np.int64))
    drawn = seeding.uniforms(seed, 0, places, torch.full_like(places, sample), count, stream=_NOISE)
    normal = torch.special.ndtri(drawn.double() + 2.0**-25).float().view(inputs.shape)
    extent = inputs.amax((1, 2, 3), keepdim=True) - inputs.amin((1, 2, 3), keepdim=True)
    noisy: Tensor = inputs + noise * extent * normal
    return noisy


def entropy(found: Floats, size: Size, bins: int) -> Doubles:
    """Entropy (nats) of the histogram of each map, enlarged bilinearly: float64 (N,).

    The bins divide the range of the map evenly, so that scale and offset have no effect; a map of
    equal values has entropy 0. Maps keep their sign: with the ReLU of `maps.show` the bin of zeros
    would depend on the share of negative values, which random weights change.

    Parameters
    ----------
    found
        float32 (N, h, w), signed.
    size
        Side, or (height, width), of the enlarged maps, pixels.
    bins
        Number of bins.
    """
    rows, columns = (
        maps.interpolation(n, side).astype(np.float64)
        for n, side in zip(found.shape[1:], pair(size), strict=True)
    )
    enlarged = rows @ found @ columns.T
    histograms = np.stack([np.histogram(each, bins)[0] for each in enlarged])
    share = histograms / histograms.sum(axis=1, keepdims=True)
    return np.asarray(-(share * np.log(np.where(share > 0, share, 1))).sum(axis=1))


def relative_rise(before: ArrayLike, after: ArrayLike) -> Doubles:
    """(after − before) / before of each image, the eMPRT score; NaN where `before` is 0."""
    a, b = np.asarray(before, np.float64), np.asarray(after, np.float64)
    return np.divide(b - a, a, out=np.full_like(a, np.nan), where=a > 0)


class Ready(NamedTuple):
    """A network that is ready for maps, its target layer and its `models.head`."""

    network: nn.Module
    layer: nn.Module
    head: nn.Linear | None


@dataclass(frozen=True)
class Explainer:
    """Makes maps of the same images under different networks.

    images: uint8 (N, H, W, C); index: int64 (N,), their positions in the data set; mean, std,
    input_size, method, batch_size, fold_batch_norm, device: as in `cams.compute`; target_layer: its
    name, as in `models.target_layer`; noise, samples, seed: as in `noised`, and the number of noisy
    copies of an image.
    """

    images: NDArray[np.uint8]
    index: NDArray[np.int64]
    mean: Sequence[float]
    std: Sequence[float]
    input_size: Size
    method: str
    target_layer: str | None
    batch_size: int
    fold_batch_norm: bool
    device: torch.device
    noise: float
    samples: int
    seed: int

    @property
    def shape(self) -> models.Shape:
        """(C, H, W) of a prepared image."""
        return self.images.shape[3], *pair(self.input_size)

    def ready(self, network: nn.Module) -> Ready:
        """The network prepared for maps at the target layer. It is changed."""
        _, layer = models.target_layer(network, self.target_layer, self.shape)
        head = models.head(network, layer, self.shape)
        if self.fold_batch_norm:
            models.fold_batch_norms(network, layer)
        return Ready(network, layer, head)

    def maps(self, ready: Ready, targets: NDArray[np.int64]) -> Floats:
        """Maps float32 (N, h, w) of the images, explaining these classes (N,)."""
        return self._run(ready, targets, self.images, self.mean, self.std)

    def smooth(self, ready: Ready, targets: NDArray[np.int64]) -> Floats:
        """Mean of the maps of the noisy copies of each image: float32 (N, h, w)."""
        batch = torch.from_numpy(self.images).permute(0, 3, 1, 2)
        inputs = prepare(batch, self.mean, self.std, self.input_size)
        # Settings that leave inputs that are prepared already as they are.
        channels = len(self.mean)
        mean, std = [0.0] * channels, [1 / 255] * channels
        total = np.zeros(1)
        for sample in range(self.samples):
            noisy = noised(inputs, self.index, self.noise, sample, self.seed)
            images = noisy.permute(0, 2, 3, 1).numpy()
            total = total + self._run(ready, targets, images, mean, std)
        return np.asarray(total / self.samples, np.float32)

    def _run(
        self,
        ready: Ready,
        targets: NDArray[np.int64],
        images: NDArray[Any],
        mean: Sequence[float],
        std: Sequence[float],
    ) -> Floats:
        batches = cams.compute(
            *ready,
            cast(NDArray[np.uint8], images),
            mean=mean,
            std=std,
            input_size=self.input_size,
            method=self.method,
            targets=targets,
            batch_size=self.batch_size,
            fold_batch_norm=False,
            device=self.device,
        )
        found = np.concatenate([batch.maps for batch in batches])
        # Random weights may overflow: such a map is undefined, as one of equal values is.
        finite = np.isfinite(found).all(axis=(1, 2), keepdims=True)
        return np.where(finite, found, np.float32(0))


def measure(
    build: Callable[..., nn.Module],
    trained: State,
    random: State,
    store: Store,
    explainer: Explainer,
    compare: Callable[[Store, list[Store]], list[pd.DataFrame]],
    *,
    points: int,
    bins: int,
    permuted: State | None = None,
) -> Iterator[pd.DataFrame]:
    """All checks of a model's maps, one randomised copy of the network after another.

    Parameters
    ----------
    build
        As in `random_weights`.
    trained, random
        The states of the trained network, and of one with random weights only.
    store
        The rows of the explainer's images in the model's store.
    compare
        `similarity.tables` with the settings of the study.
    points
        Largest number of randomised copies whose maps are compared (`counts`).
    bins
        Of the histograms.
    permuted
        The state of a network that was trained on permuted labels.

    Yields
    ------
    DataFrame
        check, randomised (number of layers), layer (the last of them; "" for none), index, entropy
        (of the map that is compared; for `MPRT` with 0 layers of the trained network's), then the
        metrics, NaN if undefined.
    """

    def network(state: State) -> Ready:
        made = build(seed=0)
        made.load_state_dict(dict(state))
        return explainer.ready(made.eval())

    def rows(check: str, count: int, name: str, own: Floats, other: Floats) -> pd.DataFrame:
        first, second = replace(store, maps=own), replace(store, maps=other)
        (measured,) = compare(first, [second])
        about = {
            "check": check,
            "randomised": count,
            "layer": name,
            "index": store.index,
            "entropy": entropy(other, explainer.input_size, bins),
        }
        return pd.DataFrame(about).join(measured.drop(columns=_IDENTITY))

    original = network(trained)
    own = explainer.maps(original, store.target)
    smooth = explainer.smooth(original, store.target) if explainer.samples else None
    yield rows(MPRT, 0, "", own, own)
    elsewhere = uninformative.shuffled(replace(store, maps=own), explainer.seed)
    yield rows(OTHER, 0, "", own, elsewhere.maps)
    classes = store.logit.shape[1]
    others = other_classes(store.target, classes, store.index, explainer.seed)
    yield rows(LOGIT, 0, "", own, explainer.maps(original, others))
    if permuted is not None:
        yield rows(PERMUTED, 0, "", own, explainer.maps(network(permuted), store.target))

    found = layers(build(seed=0).eval(), explainer.shape)
    for count in counts(len(found), points):
        tensors = {tensor for layer in found[:count] for tensor in layer.tensors}
        copy = network({name: (random if name in tensors else trained)[name] for name in trained})
        name = found[count - 1].name
        yield rows(MPRT, count, name, own, explainer.maps(copy, store.target))
        if smooth is not None:
            yield rows(SMPRT, count, name, smooth, explainer.smooth(copy, store.target))


_IDENTITY = ["index", "label", "baseline_prediction", "prediction"]


def by_layer(
    models_of: Sequence[Model], measured: Sequence[pd.DataFrame], metrics: Sequence[str], seed: int
) -> pd.DataFrame:
    """Similarity to the trained network's map against the number of randomised layers.

    Parameters
    ----------
    models_of, measured
        (augmentation, seed), and the tables of `measure` joined into one, of each.
    metrics
        The metrics in these tables.
    seed
        Seed of the resampling.

    Returns
    -------
    DataFrame
        augmentation, check (`MPRT` or `SMPRT`), metric, randomised, layer, seeds, images, mean,
        low, high (95 %, over seeds and images: `statistics.mean`), undefined (share of the maps).
    """
    rows: list[dict[str, Any]] = []
    for augmentation, tables in _arms(models_of, measured).items():
        for check in (MPRT, SMPRT):
            steps = [t[(t["check"] == check) & (t["randomised"] > 0)] for t in tables.values()]
            for count, name in steps[0][["randomised", "layer"]].drop_duplicates().to_numpy():
                for metric in metrics:
                    values = np.stack([t.loc[t["randomised"] == count, metric] for t in steps])
                    rows.append(
                        {"augmentation": augmentation, "check": check, "metric": metric}
                        | {"randomised": count, "layer": name}
                        | _described(values, seed)
                    )
    return pd.DataFrame(rows)


def summary(
    models_of: Sequence[Model],
    measured: Sequence[pd.DataFrame],
    metrics: Sequence[str],
    seed: int,
    *,
    paired: bool,
) -> pd.DataFrame:
    """Every check of the maps of every augmentation, and its difference from the baselines.

    Parameters
    ----------
    models_of, measured, metrics, seed
        As in `by_layer`.
    paired
        Whether an augmented model is compared with the baseline of its seed.

    Returns
    -------
    DataFrame
        augmentation, check, metric ("" for `EMPRT`), seeds, images, mean, low, high, undefined, as
        in `by_layer`; above, above_low, above_high (similarity minus that to the map of another
        image); difference (from the baselines), difference_low, difference_high
        (`statistics.difference_from_reference`). `MPRT` and `SMPRT` are those of all layers.
    """
    arms = _arms(models_of, measured)
    rows: list[dict[str, Any]] = []
    for augmentation, tables in arms.items():
        baselines = arms.get(BASELINE, {}) if augmentation != BASELINE else {}
        present = set(pd.concat(tables.values())["check"])
        checks = [check for check in COMPARED if check in present]
        for check, metric in [(EMPRT, ""), *((c, m) for c in checks for m in metrics)]:
            own, theirs = (
                {k: _final(t, check, metric) for k, t in arm.items()} for arm in (tables, baselines)
            )
            values = np.stack(list(own.values()))
            above = statistics.Interval(np.nan, np.nan, np.nan)
            if check not in (EMPRT, OTHER):
                others = np.stack([_final(t, OTHER, metric) for t in tables.values()])
                above = statistics.mean(values - others, seed)
            difference = statistics.difference_from_reference(own, theirs, seed, paired=paired)
            rows.append(
                {"augmentation": augmentation, "check": check, "metric": metric}
                | _described(values, seed)
                | above.columns("above")
                | difference.columns("difference")
            )
    return pd.DataFrame(rows)


def _final(table: pd.DataFrame, check: str, metric: str) -> Doubles:
    """The value of a check for every image of a model, with all layers randomised: (N,)."""
    if check == EMPRT:
        of_copies = table[table["check"] == MPRT]
        steps = of_copies["randomised"]
        before, after = (
            of_copies.loc[steps == count, "entropy"].to_numpy() for count in (0, steps.max())
        )
        return relative_rise(before, after)
    rows = table[table["check"] == check]
    last = rows["randomised"] == rows["randomised"].max()
    return np.asarray(rows.loc[last, metric], np.float64)


def _described(values: Doubles, seed: int) -> dict[str, Any]:
    """Numbers of seeds and images, mean with its interval, and share of undefined values."""
    return (
        {"seeds": len(values), "images": values.shape[1]}
        | statistics.mean(values, seed).columns("mean", "")
        | {"undefined": float(np.isnan(values).mean())}
    )


def _arms(
    models_of: Sequence[Model], measured: Sequence[pd.DataFrame]
) -> dict[str, dict[int, pd.DataFrame]]:
    """Augmentation → seed → table of its model."""
    arms: dict[str, dict[int, pd.DataFrame]] = {}
    for (augmentation, seed), table in zip(models_of, measured, strict=True):
        arms.setdefault(augmentation, {})[seed] = table
    return arms


def _words(seed: int, sources: ArrayLike, count: int, stream: int) -> Tensor:
    """Random words (n, count) of images or models, by their numbers."""
    places = torch.tensor(np.array(sources, np.int64))
    return seeding.words(seed, 0, places, torch.zeros_like(places), count, stream=stream)
