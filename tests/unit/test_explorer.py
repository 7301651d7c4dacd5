"""The explorer's data: numbers, maps and images in the page are those of the study."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import subprocess
import sys
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import explorer_study as small
from campare import embedding, explorer, explorer_build, explorer_images, explorer_page, maps
from campare.data import Regions
from campare.explorer import Payload

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"


def unpacked(payload: Payload, name: str) -> np.ndarray:
    about = payload.about["arrays"][name]
    content = gzip.decompress(base64.b64decode(payload.blocks[name]))
    return np.frombuffer(content, about["type"]).reshape(about["shape"])


def decoded(values: np.ndarray, scale: dict[str, float]) -> np.ndarray:
    numbers = scale["low"] + scale["step"] * values.astype(float)
    return np.where(values == explorer.MISSING, np.nan, numbers)


# Numbers


@pytest.mark.parametrize(
    "values",
    [[0.0, 1.0], [-3.2, 7.1, np.nan, 0.4], [5.0, 5.0], [np.nan], [np.inf, 1.0, 2.0]],
)
def test_numbers_are_kept_to_half_a_step(values: list[float]) -> None:
    coded, scale = explorer.quantised(values)
    expected = np.where(np.isfinite(values), values, np.nan)
    np.testing.assert_allclose(decoded(coded, scale), expected, atol=scale["step"] / 2 + 1e-12)
    finite = expected[np.isfinite(expected)]
    if len(finite) > 1 and np.ptp(finite) > 0:
        assert scale["step"] <= np.ptp(finite) / 65534 * (1 + 1e-12)


def test_metrics_are_means_over_baselines_and_undefined_without_a_table() -> None:
    payload = small.full()
    values = unpacked(payload, "values")
    assert [entry["name"] for entry in payload.about["values"]] == small.METRICS
    models = [*small.BASELINES, *small.AUGMENTED]
    for k, entry in enumerate(payload.about["values"]):
        got = decoded(values[k], entry["scale"])
        assert np.isnan(got[: len(small.BASELINES)]).all()
        for place, model in enumerate(small.AUGMENTED):
            table = small.similarity(place)
            expected = table.groupby("index")[entry["name"]].mean().loc[small.INDEX]
            row = got[models.index(model)]
            np.testing.assert_allclose(row, expected, atol=entry["scale"]["step"])


def test_components_of_images_average_to_those_of_the_summary() -> None:
    pairs = small.pairs()
    of_images = explorer.components(pairs, "affine", "baseline", "overlap_20")

    def distance(table: str, a: str, b: str) -> float:
        rows = pairs[table]
        return float(1 - rows[(rows["a"] == a) & (rows["b"] == b)]["overlap_20"].mean())

    floor = distance("baseline", "baseline", "baseline")
    between = distance("affine", "baseline", "affine")
    within = distance("affine", "affine", "affine")
    assert of_images["net"].mean() == pytest.approx(between - floor)
    assert of_images["tightening"].mean() == pytest.approx((floor - within) / 2)
    payload = small.full()
    values = unpacked(payload, "components")
    entries = payload.about["components"]
    for k, name in enumerate(("net", "tightening")):
        got = decoded(values[k, 0], entries[k]["scale"])
        np.testing.assert_allclose(got, of_images[name], atol=entries[k]["scale"]["step"])


def test_predictions_probabilities_and_labels() -> None:
    payload = small.full()
    own = small.store(4)
    assert (unpacked(payload, "predicted")[4] == own.predicted).all()
    chance = decoded(unpacked(payload, "probability"), payload.about["probability"])[4]
    np.testing.assert_allclose(chance, own.prediction.max(1), atol=1e-5)
    assert (unpacked(payload, "index") == small.INDEX).all()
    assert (unpacked(payload, "label") == small.LABELS[small.INDEX]).all()
    peak = decoded(unpacked(payload, "peak"), payload.about["peak"])[4]
    np.testing.assert_allclose(peak, own.maps.max((1, 2)), atol=1e-3)


def test_localisation_scores_are_metrics_of_all_models() -> None:
    table = pd.DataFrame({"index": small.INDEX[:2], "region": "object"})
    for number, score in enumerate(("pointing", "energy", "iou", "average_precision")):
        table[score] = [number / 10, number / 5]
    payload = small.full(localisation={("baseline", 2): table})
    names = [entry["name"] for entry in payload.about["values"]]
    assert names[len(small.METRICS) :][1] == "energy:object"
    place = names.index("energy:object")
    got = decoded(unpacked(payload, "values")[place], payload.about["values"][place]["scale"])
    np.testing.assert_allclose(got[1, :2], [0.1, 0.2], atol=1e-5)
    assert np.isnan(got[1, 2:]).all() and np.isnan(got[0]).all()


def test_images_are_those_that_all_models_mapped() -> None:
    order = np.random.default_rng(1).permutation(small.IMAGES)[:30]
    full = small.store(1)
    part = small.Store(
        full.maps[order], full.prediction[order], full.logit[order], full.label[order],
        full.index[order], full.target[order], full.attributes,
    )  # fmt: skip
    stores = {("baseline", 1): partial(small.store, 0), ("affine", 1): lambda: part}
    payload = small.full(stores=stores, similarities={}, pairs={}, summary=None)
    rows = np.sort(order)
    assert (unpacked(payload, "index") == small.INDEX[rows]).all()
    assert (unpacked(payload, "predicted")[1] == full.predicted[rows]).all()


# Maps


def test_maps_are_those_of_figures() -> None:
    payload = small.full()
    expected = maps.show(small.store(2).maps, None)
    np.testing.assert_allclose(unpacked(payload, "maps")[2] / 255, expected, atol=0.5 / 255)


def test_maps_are_scaled_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = small.full()
    monkeypatch.setattr(explorer, "CHUNK", 7)
    parts = small.full()
    assert whole.blocks == parts.blocks and whole.about == parts.about


def test_maps_of_different_sizes_share_the_largest() -> None:
    stores = {
        ("baseline", 1): partial(small.store, 0, (4, 5)),
        ("affine", 1): partial(small.store, 1, (7, 3)),
    }
    payload = small.full(stores=stores, similarities={}, pairs={}, summary=None)
    assert payload.about["map"] == [7, 5]
    values = unpacked(payload, "maps")
    expected = explorer.shown(small.store(0).maps, (7, 5))
    assert (values[0] == expected).all()


def test_a_larger_map_is_reduced_by_means_over_areas() -> None:
    values = np.random.default_rng(0).random((3, 6, 9)).astype(np.float32)
    got = explorer.shown(values, (3, 3)) / 255
    whole = maps.show(values, None).reshape(3, 3, 2, 3, 3).mean((2, 4))
    np.testing.assert_allclose(got, whole, atol=0.51 / 255)
    uneven = explorer.shown(np.ones((1, 7, 5), np.float32) + np.eye(7, 5, dtype=np.float32), (3, 2))
    assert uneven.shape == (1, 3, 2)


def test_many_large_maps_are_reduced_to_the_limit() -> None:
    assert explorer.grid([(7, 7)] * 22, 10_000) == (7, 7)
    height, width = explorer.grid([(224, 224)] * 22, 10_000)
    assert height * width * 22 * 10_000 <= explorer.MAP_VALUES < (height + 1) ** 2 * 220_000


# Images


@pytest.mark.parametrize("shape", [(5, 12, 10, 3), (7, 28, 28, 1), (3, 33, 20, 3)])
@pytest.mark.parametrize("lossless", [True, False])
def test_every_image_is_at_its_place(
    shape: tuple[int, ...], lossless: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer_images, "LOSSLESS", 10**9 if lossless else 0)
    monkeypatch.setattr(explorer_images, "SHEET", 64)
    # Smooth images, which JPEG keeps well; each of another brightness.
    images = (
        np.zeros(shape, np.uint8)
        + (np.arange(shape[0]) * 30 + 20).astype(np.uint8)[:, None, None, None]
    )
    order = np.random.default_rng(0).permutation(len(images))
    layout, texts = explorer_images.sheets(images, order)
    images = images[order]
    pages = [np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) for text in texts]
    assert len(pages) == layout["sheets"]
    for i, image in enumerate(images):
        page, place = divmod(i, layout["rows"] * layout["columns"])
        row, column = divmod(place, layout["columns"])
        top, left = row * layout["cell"][0], column * layout["cell"][1]
        got = pages[page][top : top + shape[1], left : left + shape[2]]
        expected = image[..., 0] if shape[3] == 1 else image
        np.testing.assert_allclose(got.astype(int), expected, atol=0 if lossless else 2)
    assert lossless or all(side % 8 == 0 for side in layout["cell"])


def test_large_images_are_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer_images, "PIXELS", 8000)
    layout, _ = explorer_images.sheets(np.zeros((10, 80, 40, 3), np.uint8), np.arange(10))
    assert (layout["height"], layout["width"]) == (40, 20)
    assert layout["original"] == [80, 40]


def test_masks_of_regions_are_bits_of_the_images_size() -> None:
    masks = np.random.default_rng(0).random((small.IMAGES, 2, 12, 10)) < 0.5
    regions = Regions(("object", "<b>cue"), masks)
    payload = small.full(regions=lambda index: regions)
    assert payload.about["regions"] == ["object", "<b>cue"]
    bits = np.unpackbits(unpacked(payload, "regions"))[: masks.size]
    assert (bits.reshape(masks.shape) == masks).all()
    half = np.unpackbits(explorer_images.region_bits(masks, (6, 5)))[: masks.size // 4]
    assert (half.reshape(small.IMAGES, 2, 6, 5) == masks[:, :, 1::2, 1::2]).all()


# Embedding


def test_the_embedding_is_that_of_a_singular_value_decomposition() -> None:
    values = np.random.default_rng(0).integers(0, 256, (4, 30, 3, 3), np.uint8)
    groups = [[0, 1], [2, 3]]
    got = explorer.embedded(values, groups)
    flat = np.concatenate([values[g].mean(0).reshape(30, 9) for g in groups]) / 255
    u, s, v = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    np.testing.assert_allclose(np.abs(got.places.reshape(60, 2)), np.abs(u * s)[:, :2], atol=1e-4)
    assert got.explained == pytest.approx((s**2 / (s**2).sum())[:2], abs=1e-4)
    steps = 2 * s[:2, None] / np.sqrt(59) * v[:2]
    sides = np.abs(got.ends[:, 1].astype(float) - got.ends[:, 0]).reshape(2, 9) / 255
    np.testing.assert_allclose(sides, np.abs(2 * steps), atol=1.1 / 255)


def test_the_spectral_plane_is_that_of_all_groups_together() -> None:
    payload = small.full()
    coded = unpacked(payload, "spectral")
    assert coded.shape == (2, len(payload.about["groups"]), small.IMAGES)
    values = unpacked(payload, "maps")
    means = [values[group["models"]].mean(0) / 255 for group in payload.about["groups"]]
    expected = embedding.spectrum(np.concatenate(means).reshape(-1, values[0, 0].size)).plane
    for axis, entry in enumerate(payload.about["spectral"]):
        got = decoded(coded[axis], entry["scale"]).ravel()
        assert abs(np.corrcoef(got, expected[:, axis])[0, 1]) > 0.9999


def test_a_large_study_has_its_data_in_scripts_in_a_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    payload = small.full()
    whole, none = explorer_page.files(payload)
    assert none == {}
    monkeypatch.setattr(explorer_page, "ONE_FILE", 1000)
    monkeypatch.setattr(explorer_page, "SHARD", 400)
    page, shards = explorer_page.files(payload)
    assert len(page) < len(whole)
    assert 'id="block-' not in page
    about = json.loads(re.search(r'id="about">(.*?)</script>', page, re.S)[1])  # type: ignore[index]
    digest, listed = about["shards"]["digest"], about["shards"]["files"]
    assert [entry["file"] for entry in listed] == [f"explorer_data/{name}" for name in shards]
    texts: dict[str, str] = {}
    for entry, text in zip(listed, shards.values(), strict=True):
        of, block, part = json.loads(f"[{text.removeprefix('campareShard(')[:-3]}]")
        assert (of, block) == (digest, entry["block"])
        assert len(part) <= 400
        base64.b64decode(part, validate=True)
        texts[block] = texts.get(block, "") + part
    assert texts == payload.blocks
    assert explorer_page.files(payload) == (page, shards)


def test_constant_maps_have_an_embedding() -> None:
    got = explorer.embedded(np.zeros((2, 5, 3, 3), np.uint8), [[0], [1]])
    assert not got.places.any() and got.explained == [0.0, 0.0] and not got.ends.any()


# The page


class Tags(HTMLParser):
    """Counts of tags and event attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


def test_names_are_text_and_nothing_is_loaded() -> None:
    page = explorer_page.render(small.full())
    tags = Tags(page)
    assert "img" not in tags.tags and "b" not in tags.tags
    assert not {"src", "onerror"} & tags.attributes
    about = re.search(r'<script type="application/json" id="about">(.*?)</script>', page, re.S)
    assert about and tuple(json.loads(about[1])["classes"]) == small.CLASSES
    assert "{{" not in re.sub(r"<script.*", "", page, flags=re.S)
    assert not re.search(r"https?://(?!www\.w3\.org/)", page)


def test_two_runs_give_the_same_bytes() -> None:
    assert explorer_page.render(small.full()) == explorer_page.render(small.full())


def test_text_in_the_place_of_a_mark_is_kept() -> None:
    page = explorer_page.render(small.full(study="{{SCRIPT}} {{STYLE}}"))
    assert '"{{SCRIPT}} {{STYLE}}"' in page


@pytest.mark.parametrize("study", [small.full, small.bare])
def test_values_are_those_of_json(study: Any) -> None:
    payload = study()
    json.dumps(payload.about, allow_nan=False)
    assert set(payload.about["arrays"]) <= set(payload.blocks)


def test_pages_of_variants_link_to_each_other() -> None:
    variants = {"": "Grad-CAM", "variants/a/": "HiRes-CAM", "variants/b/": "layer 1"}
    files = {
        variant: [
            each["file"]
            for each in small.bare(variant=variant, variants=variants).about["variants"]
        ]
        for variant in variants
    }
    assert files[""] == ["explorer.html", "variants/a/explorer.html", "variants/b/explorer.html"]
    assert files["variants/a/"] == ["../../explorer.html", "explorer.html", "../b/explorer.html"]


def test_all_sources_are_in_the_page() -> None:
    listed = set(explorer_page.sources())
    assert listed == {path.name for path in explorer_page.FOLDER.iterdir()}


def test_rules_import_no_large_packages() -> None:
    code = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); import campare.explorer_page; "
    code += "print(*{'pandas', 'matplotlib', 'torch', 'numpy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.split() in ([], ["numpy"])


def test_pairs_are_read_with_the_columns_that_are_used() -> None:
    assert explorer_build.pair_columns("mad") == ["a", "b", "index", "mad"]
