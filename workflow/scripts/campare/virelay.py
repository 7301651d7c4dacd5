"""The maps of a model as a project of ViRelAy 0.6, https://github.com/virelay/virelay.

A project is one YAML file that names a label map, the images, the maps ("attributions") and an
analysis of them. The layout is that of ViRelAy's database specification and, where the two differ,
of its reader `virelay.model`: clusterings are in the group `cluster`, and embeddings are datasets.
Images and maps have three channels, because ViRelAy draws no others, and are addressed by their
position in the data set.

No file contains a clock time: two runs give the same bytes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml
from numpy.typing import NDArray

from campare import atomic, embedding, maps
from campare.store import VERSIONS, Store

CHANNELS = 3
METHOD = "spectral"  # of the analysis; ViRelAy's server takes no name with a hyphen
ALL = "all images"  # category of all maps, besides one for each class
CLUSTERS = range(2, 11)  # numbers of clusters
LARGEST = 32  # side of the maps that are analysed; larger ones are reduced
SIDE = 32  # least side of images and maps, pixels
CHUNK = 256  # rows of an array that are compressed together
SMALL = 16_384  # bytes of an array below which compression takes more space than it saves


@dataclass(frozen=True)
class Analysis:
    """The analysis of the maps of one category.

    index: int64 (N,), positions of the images in the data set; spectral: float64 (N, k), rows of
    length 1, with eigenvalues float64 (k,), ascending; eigenmaps, components: float64 (N, 2),
    Laplacian eigenmaps and principal components; clusters: number asked for → int64 (N,), clusters
    of the spectral embedding.
    """

    index: NDArray[np.int64]
    spectral: NDArray[np.float64]
    eigenvalues: NDArray[np.float64]
    eigenmaps: NDArray[np.float64]
    components: NDArray[np.float64]
    clusters: Mapping[int, NDArray[np.int64]]


def category(label: int) -> str:
    """The category of a class in the analysis; in the label map it stands for a WordNet ID."""
    return f"{label:08d}"


def label_map(classes: Sequence[str]) -> str:
    """The label map as JSON."""
    labels = [
        {"index": label, "word_net_id": category(label), "name": name}
        for label, name in enumerate(classes)
    ]
    return json.dumps(labels, ensure_ascii=False, indent=1) + "\n"


def project(
    *,
    study: str,
    model: str,
    architecture: str,
    maps: str,
    policy: str,
    size: tuple[int, int],
    files: Mapping[str, str],
) -> str:
    """The project file as YAML.

    Parameters
    ----------
    study, model, architecture
        Names, for the heading. Projects that are opened together must differ in study or model.
    maps, policy
        Title of the variant of the maps, and the class that they explain (`cam.class`).
    size
        Height and width of the images, pixels.
    files
        Paths of labels, images, attributions and analysis, relative to the project file.
    """
    strategy = {"true": "true_label", "predicted": "predicted_label"}
    content = {
        "name": f"{study}: {model}",
        "model": f"{architecture}, {model}",
        "label_map": files["labels"],
        "dataset": {
            "name": study,
            "type": "hdf5",
            "path": files["images"],
            "input_width": size[1],
            "input_height": size[0],
            "down_sampling_method": "none",
            "up_sampling_method": "none",
        },
        "attributions": {
            "attribution_method": maps,
            "attribution_strategy": strategy.get(policy, policy),
            "sources": [files["attributions"]],
        },
        "analyses": [{"analysis_method": METHOD, "sources": [files["analysis"]]}],
    }
    return yaml.safe_dump({"project": content}, sort_keys=False, allow_unicode=True)


def write_images(
    path: str | Path,
    images: NDArray[np.uint8],
    labels: NDArray[np.integer[Any]],
    index: NDArray[np.integer[Any]],
) -> None:
    """Write images with three channels; only those at `index` take space in the file.

    ViRelAy's specification asks for float32. Its reader takes uint8 as it is; of float32 it guesses
    the range from each image, which fails for dark images.

    Parameters
    ----------
    images, labels
        uint8 (M, H, W, C), C = 1 or 3, and (M,), of the whole data set.
    index
        Positions of the test images.
    """
    count, *size, _ = images.shape
    repeated = repetition(size)
    shape = CHANNELS, *(side * repeated for side in size)
    with _created(path) as file:
        data = file.create_dataset("data", (count, *shape), np.uint8, chunks=(1, *shape), **_PACKED)
        for position in np.unique(index):
            channels = np.broadcast_to(images[position], (*size, CHANNELS)).transpose(2, 0, 1)
            data[position] = enlarged(channels, repeated)
        _write(file, "label", labels.astype(np.uint16))


def repetition(size: Sequence[int]) -> int:
    """How often a pixel is repeated in both directions so that no side is below `SIDE` pixels.

    ViRelAy sends images and maps to the browser as JPEG, which gives pixels next to each other the
    same colour.
    """
    return max(1, -(-SIDE // min(size)))


def enlarged(values: NDArray[Any], repeated: int) -> NDArray[Any]:
    """Images or maps (…, h, w) with every pixel repeated in both directions."""
    return values.repeat(repeated, axis=-2).repeat(repeated, axis=-1)


def read_images(path: str | Path) -> tuple[tuple[int, int], NDArray[np.uint16]]:
    """Height and width of the images that `write_images` wrote, pixels, and labels uint16 (M,)."""
    with h5py.File(path) as file:
        _, _, height, width = file["data"].shape
        return (height, width), file["label"][()]


def write_attributions(path: str | Path, store: Store, labels: NDArray[np.integer[Any]]) -> None:
    """Write the maps of a model with labels and predictions, in rows of the data set.

    The maps are signed and unnormalised, as in the store, with pixels repeated as those of images.
    Each channel has a third of the map, because ViRelAy draws the sum of the channels. There is no
    `index`, in which ViRelAy would search for every map that it draws, some milliseconds for each
    row; instead, rows without a map are missing from the file and read as zero.

    Parameters
    ----------
    labels
        (M,), of the whole data set.
    """
    count, (_, *size) = len(labels), store.maps.shape
    repeated = repetition(size)
    shape = CHANNELS, *(side * repeated for side in size)
    with _created(path) as file:
        data = file.create_dataset(
            "attribution", (count, *shape), np.float32, chunks=(1, *shape), **_PACKED
        )
        for position, values in zip(store.index, store.maps / np.float32(CHANNELS), strict=True):
            data[position] = enlarged(np.stack([values] * CHANNELS), repeated)
        prediction = np.zeros((count, store.prediction.shape[1]), np.float32)
        prediction[store.index] = store.prediction
        _write(file, "prediction", prediction)
        _write(file, "label", labels.astype(np.uint16))


def categories(store: Store, labels: NDArray[np.int64]) -> Iterator[tuple[str, Analysis]]:
    """The analysis of the maps of each class that has any, then that of all maps.

    Parameters
    ----------
    labels
        int64 (N,), the class of each map: that which it explains.
    """
    height, width = (min(side, LARGEST) for side in store.maps.shape[1:])
    points = maps.fitted(store.maps, (height, width)).reshape(len(store.maps), -1)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        yield category(int(label)), analysed(points[rows], store.index[rows])
    yield ALL, analysed(points, store.index)


def analysed(points: NDArray[np.float32], index: NDArray[np.int64]) -> Analysis:
    """Embeddings and clusters of maps.

    Parameters
    ----------
    points
        float32 (N, h · w), maps as shown (ReLU, min–max).
    index
        int64 (N,), positions of their images in the data set.
    """
    found = embedding.spectrum(points)
    return Analysis(
        index,
        found.rows,
        found.values,
        found.plane,
        embedding.principal(points.astype(np.float64)).places,
        {count: embedding.clusters(found.rows, count) for count in CLUSTERS},
    )


def write_analysis(path: str | Path, analyses: Iterable[tuple[str, Analysis]]) -> None:
    """Write the analyses of categories; all have embeddings and clusterings of the same names."""
    with _created(path) as file:
        for name, analysis in analyses:
            group = file.create_group(name)
            group.attrs["name"] = name
            _write(group, "index", analysis.index.astype(np.uint32))
            # ViRelAy draws eigenvalues from the last to the first.
            spectral = analysis.spectral[:, ::-1].astype(np.float32)
            vectors = _write(group, "embedding/spectral", spectral)
            vectors.attrs["eigenvalue"] = analysis.eigenvalues[::-1].astype(np.float32)
            plane = _write(group, "embedding/eigenmaps", analysis.eigenmaps.astype(np.float32))
            plane.attrs["embedding"] = "spectral"
            _write(group, "embedding/pca", analysis.components.astype(np.float32))
            for count, clusters in analysis.clusters.items():
                kept = _write(group, f"cluster/kmeans-{count:02d}", clusters.astype(np.uint32))
                kept.attrs["embedding"] = "spectral"
                kept.attrs["k"] = clusters.max() + 1
                kept.attrs["index"] = np.arange(analysis.spectral.shape[1], dtype=np.uint32)


# Without times of creation.
_PACKED: dict[str, Any] = {"compression": "gzip", "compression_opts": 4, "track_times": False}


@contextmanager
def _created(path: str | Path) -> Iterator[h5py.File]:
    """A new HDF5 file, in memory until it is complete, because HDF5 crashes on a full disk."""
    content = io.BytesIO()
    with h5py.File(content, "w", libver=VERSIONS) as file:
        yield file
    with atomic.replacing(path) as aside:
        aside.write_bytes(content.getbuffer())


def _write(parent: h5py.Group, name: str, values: NDArray[Any]) -> h5py.Dataset:
    if values.nbytes < SMALL:
        return parent.create_dataset(name, data=values, track_times=False)
    chunks = (min(len(values), CHUNK), *values.shape[1:])
    return parent.create_dataset(name, data=values, chunks=chunks, **_PACKED)
