"""The explorer in Chromium, opened from a file: every view, its numbers, keys and names."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from snakemake.common import get_report_id
from snakemake.iocontainers import FILE_HASH_PREFIX_LEN

import explorer_study as small
from browser import CHROMIUM, Browser
from campare import explorer_build, explorer_page
from campare.data import Regions

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

MODELS = [*small.BASELINES, *small.AUGMENTED]
LABELS = small.LABELS[small.INDEX]
# (models, images)
PREDICTED = np.stack([small.store(place).predicted for place in range(len(MODELS))])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of a study with everything, and of one without comparisons and predictions."""
    folder = tmp_path_factory.mktemp("pages of #1 ä")
    for name, study in (("full", small.full), ("bare", small.bare)):
        (folder / f"{name}.html").write_text(explorer_page.render(study()), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, folder: Path) -> Iterator[Browser]:
    """The page of the whole study; afterwards no error was reported and no markup ran."""
    browser.errors.clear()
    browser.open((folder / "full.html").as_uri())
    yield browser
    assert browser.errors == []
    assert browser.run("window.hacked === undefined && !document.querySelector('img, #view b b')")


def texts(page: Browser, selector: str) -> list[str]:
    script = f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.textContent)"
    return list(page.run(script))


def numbers(page: Browser, selector: str) -> list[float]:
    shown = [text.replace("−", "-").replace("–", "nan") for text in texts(page, selector)]
    return [float(text) for text in shown]


def metric(name: str, models: list[int]) -> pd.Series:
    """Mean over models of the metric of each image, by index."""
    tables = [small.similarity(place).groupby("index")[name].mean() for place in models]
    return pd.concat(tables, axis=1).mean(axis=1)


def count(page: Browser) -> int:
    return int(texts(page, "#count")[0].split()[0].replace(",", ""))


def images(page: Browser) -> list[int]:
    """The images of the rows in the document, from the top."""
    rows = "[...document.querySelectorAll('.rows .row')]"
    sort = ".sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((e) => +e.dataset.image)"
    return list(page.run(rows + sort))


def keep(page: Browser, name: str) -> None:
    """Save a screenshot in the folder of the variable SCREENSHOTS, if it is set."""
    if path := os.environ.get("SCREENSHOTS"):
        page.screenshot(Path(path) / f"{name}.png")


def test_answer_shows_the_numbers_of_the_summary(page: Browser) -> None:
    page.state("#view=answer")
    cell = "#summary tr[data-augmentation=affine] [data-column={}] .number"
    assert texts(page, cell.format("accuracy_change")) == ["+1.2 (−0.1 to +2.6)"]
    assert texts(page, cell.format("net")) == ["−0.016 (−0.020 to +0.010)"]
    assert texts(page, cell.format("tightening")) == ["+0.041 (+0.030 to +0.050)"]
    assert texts(page, cell.format("shift")) == ["+0.026 (+0.011 to +0.041)"]
    assert texts(page, cell.format("shift").replace("affine", "cutmix")) == ["–"]
    filled = "[data-augmentation=affine] [data-column={}] .filled"
    assert len(texts(page, filled.format("shift"))) == 1
    assert len(texts(page, filled.format("accuracy_change"))) == 0
    keep(page, "answer")


def test_answer_leads_to_the_images_with_the_largest_shift(page: Browser) -> None:
    page.state("#view=answer")
    page.run("document.querySelector('[data-augmentation=cutmix] button').click()")
    assert "of=cutmix" in page.run("location.hash")
    parts = explorer_build.explorer.components(small.pairs(), "cutmix", "baseline", "overlap_20")
    shift = parts.sum(axis=1, skipna=False).sort_values(ascending=False)
    assert images(page)[:5] == list(shift.index[:5])
    np.testing.assert_allclose(
        numbers(page, ".rows .number[data-sort]")[:5], shift[:5], atol=0.0011
    )


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(("of", "models"), [("affine", [0, 1]), ("cutmix", [2, 3])])
def test_images_are_in_the_order_of_a_metric(
    page: Browser, order: str, of: str, models: list[int]
) -> None:
    page.state(f"#view=images&sort=mad&of={of}&order={order}")
    expected = metric("mad", models).sort_values(ascending=order == "asc", na_position="last")
    assert images(page)[:6] == list(expected.index[:6])
    shown = numbers(page, ".rows .number[data-sort]")
    np.testing.assert_allclose(shown[:6], expected[:6], atol=0.0011)
    assert texts(page, ".rows .name span")[0] in small.CLASSES
    keep(page, "images")


def test_the_default_numbers_are_means_over_augmentations(page: Browser) -> None:
    page.state("#view=images&sort=overlap_20")
    expected = (metric("overlap_20", [0, 1]) + metric("overlap_20", [2, 3])) / 2
    expected = expected.sort_values(ascending=False)
    assert images(page)[:6] == list(expected.index[:6])


def test_only_rows_in_sight_are_in_the_document(page: Browser) -> None:
    page.state("#view=images&sort=index&order=asc&size=200")
    assert len(images(page)) < small.IMAGES / 2
    page.run("document.getElementById('grid').scrollTop = 1e9")
    page.wait(f"document.querySelector('[data-image=\"{small.INDEX[-1]}\"]') !== null")
    assert small.INDEX[0] not in images(page)


def expected_rows(**state: str) -> np.ndarray:
    correct = PREDICTED == LABELS
    mostly = {
        name: correct[[m[0] == name for m in MODELS]].mean(0) > 0.5
        for name in ("baseline", "affine", "cutmix")
    }
    kept = np.ones(small.IMAGES, bool)
    if "class" in state:
        kept &= int(state["class"]) == LABELS
    if "predicted" in state:
        kept &= (PREDICTED[[m[0] == state["of"] for m in MODELS]] == int(state["predicted"])).any(0)
    if state.get("correct") == "lost":
        kept &= mostly["baseline"] & ~mostly[state["of"]]
    if state.get("correct") == "all":
        kept &= correct.all(0)
    if state.get("agree") == "differ":
        kept &= (PREDICTED[0] != PREDICTED).any(0)
    return small.INDEX[kept]


@pytest.mark.parametrize(
    "state",
    [
        {"class": "1"},
        {"predicted": "2", "of": "affine"},
        {"correct": "lost", "of": "cutmix"},
        {"correct": "all"},
        {"agree": "differ", "class": "0"},
    ],
    ids=str,
)
def test_filters_keep_the_images_that_the_tables_say(page: Browser, state: dict[str, str]) -> None:
    query = "&".join(f"{key}={value}" for key, value in state.items())
    page.state(f"#view=images&sort=index&order=asc&{query}")
    expected = expected_rows(**state)
    assert count(page) == len(expected) > 0
    assert images(page)[:3] == list(expected[:3])
    page.run("document.getElementById('reset').click()")
    assert count(page) == small.IMAGES


def test_a_map_has_the_colours_of_its_values(page: Browser) -> None:
    page.state("#view=images&sort=index&order=asc&show=map&seed=2&size=160")
    script = """(() => {
        const canvas = document.querySelectorAll('.rows .row [role=gridcell] canvas')[2];
        const {width, height} = canvas;
        const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
        return [width, height, ...pixels];
    })()"""
    width, height, *pixels = page.run(script)
    from matplotlib import colormaps

    from campare import maps

    # The second column of maps, affine, seed 2.
    values = maps.show(small.store(MODELS.index(("affine", 2))).maps[:1], (height, width))[0]
    native = maps.show(small.store(MODELS.index(("affine", 2))).maps[:1], None)[0]
    shown = np.array(pixels).reshape(height, width, 4)[..., :3]
    rows = ((np.arange(4) + 0.5) * height / 4).astype(int)
    columns = ((np.arange(5) + 0.5) * width / 5).astype(int)
    expected = 255 * colormaps["viridis"](native)[..., :3]
    assert np.abs(shown[np.ix_(rows, columns)] - expected).mean() < 6
    assert values.shape == shown.shape[:2]


def test_one_image_has_all_models_with_their_metrics(page: Browser) -> None:
    page.state(f"#view=image&image={small.INDEX[7]}")
    assert small.CLASSES[LABELS[7]] in texts(page, "#view h2")[0]
    for place, (name, seed) in enumerate(MODELS):
        own = small.store(place)
        chance = round(100 * own.prediction[7].max())
        text = f"{small.CLASSES[own.predicted[7]]}, {chance} %"
        (caption,) = texts(page, f'figure[data-model="{name} {seed}"] figcaption')
        assert caption.startswith(f"Seed {seed}") and text in caption
        peak = float(caption.rpartition(" ")[2])
        assert peak == pytest.approx(max(own.maps[7].max(), 0), rel=0.06)
        assert ("✓" in caption) == (own.predicted[7] == LABELS[7])
    for place, (name, seed) in enumerate(small.AUGMENTED):
        for column in small.METRICS:
            cell = f'#metrics tr[data-model="{name} {seed}"] [data-metric={column}]'
            expected = small.similarity(place).groupby("index")[column].mean()[small.INDEX[7]]
            assert numbers(page, cell) == pytest.approx([expected], abs=0.0011)
    keep(page, "image")


def test_undefined_numbers_are_dashes(page: Browser) -> None:
    page.state(f"#view=image&image={small.INDEX[3]}")
    assert texts(page, '#metrics tr[data-model="affine 1"] [data-metric=mad]') == ["–"]


def test_scatter_selects_the_images_in_the_rectangle(page: Browser) -> None:
    page.state("#view=scatter&x=mad&y=overlap_20&of=affine")
    box = page.run(
        "(({x, y, width, height}) => [x, y, width, height])"
        "(document.querySelector('.axes').getBoundingClientRect())"
    )
    x, y, width, height = box
    page.drag((x + 0.2 * width, y + 0.1 * height), (x + 0.7 * width, y + 0.6 * height))
    brush = page.run("new URLSearchParams(location.hash.slice(1)).get('brush')")
    left, right, bottom, top = map(float, brush.split(","))
    across, up = metric("mad", [0, 1]), metric("overlap_20", [0, 1])
    inside = across.between(left, right) & up.between(bottom, top)
    assert 0 < inside.sum() < small.IMAGES
    assert count(page) == inside.sum()
    assert len(texts(page, ".strip button")) == inside.sum()
    keep(page, "scatter")
    page.state(page.run("location.hash").replace("view=scatter", "view=images"))
    assert set(images(page)) <= set(inside.index[inside])


def test_map_clusters_select_too(page: Browser) -> None:
    page.state("#view=maps&of=cutmix&mapbrush=0,9,-9,9")
    payload = small.full()
    group = [g["name"] for g in payload.about["groups"]].index("cutmix")
    from test_explorer import decoded, unpacked

    scale = payload.about["embedding"][0]["scale"]
    places = decoded(unpacked(payload, "embedding")[0, group], scale)
    assert 0 < count(page) == (places >= 0).sum() < small.IMAGES
    keep(page, "maps")


def test_limits_of_numbers_keep_images(page: Browser) -> None:
    page.state("#view=images&sort=index&order=asc&of=affine")
    choose = """((list) => {
        list.value = 'mad';
        list.dispatchEvent(new Event('change'));
    })(document.getElementById('control-limits'))"""
    page.run(choose)
    assert count(page) == small.IMAGES
    for place, number in enumerate((0.3, 0.6)):
        page.run(
            f"((input) => {{ input.value = {number}; input.dispatchEvent(new Event('change')); }})"
            f"(document.getElementById('control-limit-0-{place}'))"
        )
    inside = metric("mad", [0, 1]).between(0.3, 0.6)
    assert 0 < count(page) == inside.sum() < small.IMAGES
    assert images(page)[:3] == list(inside.index[inside][:3])
    assert "limits=0.3,0.6,mad" in page.run("location.hash")
    keep(page, "limits")
    page.run("document.querySelector('.limit button').click()")
    assert count(page) == small.IMAGES


def test_the_spectral_plane_selects_by_its_coordinates(page: Browser) -> None:
    page.state("#view=maps&of=cutmix&plane=spectral&mapbrush=0,9,-9,9")
    payload = small.full()
    group = [g["name"] for g in payload.about["groups"]].index("cutmix")
    from test_explorer import decoded, unpacked

    scale = payload.about["spectral"][0]["scale"]
    places = decoded(unpacked(payload, "spectral")[0, group], scale)
    assert 0 < count(page) == (places >= 0).sum() < small.IMAGES
    keep(page, "spectral")
    page.run(
        "((list) => { list.value = 'pca'; list.dispatchEvent(new Event('change')); })"
        "(document.getElementById('control-plane'))"
    )
    assert count(page) == small.IMAGES  # the selection was of the other plane


def test_wide_tables_are_printed_smaller(page: Browser) -> None:
    page.state("#view=answer")
    page.run("document.querySelector('.scroll table').style.width = '2090px'")
    pdf = page.call("Page.printToPDF", preferCSSPageSize=True)["data"]
    assert base64.b64decode(pdf).startswith(b"%PDF")
    fit = page.run("getComputedStyle(document.documentElement).getPropertyValue('--fit')")
    assert float(fit) == pytest.approx(0.5)


def test_all_filtered_rows_are_printed(page: Browser) -> None:
    page.state("#view=images&sort=mad&of=affine&class=1&order=asc&size=160")
    kept = count(page)
    expected = metric("mad", [0, 1])[LABELS == 1].sort_values(na_position="last")
    pages = base64.b64decode(page.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    # 190 mm of a page are 718 pixels; rows of 194 pixels are not cut.
    assert pages.count(b"/Type /Page\n") >= kept / 4
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert images(page) == list(expected.index)
    (heading,) = texts(page, "#printed")
    assert f"all {kept} images that pass the filters (of {small.IMAGES})" in heading
    assert "Affine, ascending. View: #" in heading and "class=1" in heading
    page.run("dispatchEvent(new Event('afterprint'))")
    assert len(images(page)) < kept


def test_the_rows_of_a_long_list_are_printed_up_to_a_limit(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    text = (folder / "full.html").read_text(encoding="utf-8")
    assert text.count("const PRINTED = 200;") == 1
    (tmp_path / "short.html").write_text(text.replace("PRINTED = 200", "PRINTED = 25"))
    browser.open((tmp_path / "short.html").as_uri() + "#view=images&sort=index&order=asc")
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert images(browser) == list(small.INDEX[:25])
    assert "the first 25 of 40 images" in texts(browser, "#printed")[0]


@pytest.fixture
def sharded(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Path]:
    """A page with its data in a folder, and the folder."""
    monkeypatch.setattr(explorer_page, "ONE_FILE", 1000)
    monkeypatch.setattr(explorer_page, "SHARD", 4000)
    path = tmp_path_factory.mktemp("large #1")
    page, shards = explorer_page.files(small.full())
    (path / "explorer.html").write_text(page, encoding="utf-8")
    (path / explorer_page.DATA).mkdir()
    for name, text in shards.items():
        (path / explorer_page.DATA / name).write_text(text, encoding="ascii")
    return path / "explorer.html", path / explorer_page.DATA


def test_data_in_a_folder_is_loaded_from_files(
    browser: Browser, folder: Path, sharded: tuple[Path, Path]
) -> None:
    shown = []
    for path in (folder / "full.html", sharded[0]):
        browser.errors.clear()
        browser.open(path.as_uri())
        browser.state("#view=images&sort=mad&of=affine&show=map")
        browser.wait("document.querySelectorAll('.rows canvas').length > 10")
        shown.append((images(browser), texts(browser, ".rows .row"), browser.run(PIXELS)))
        assert browser.errors == []
    assert shown[0] == shown[1]
    assert sum(shown[0][2]) > 0


PIXELS = """new Promise((ready) => setTimeout(() => {
    const canvas = document.querySelectorAll('.rows canvas')[1];
    const {width, height} = canvas;
    ready([...canvas.getContext('2d').getImageData(0, 0, width, height).data.slice(0, 4000)]);
}, 300))"""


@pytest.mark.parametrize("fault", ["missing", "of another version"])
def test_a_page_without_its_data_says_so(
    browser: Browser, sharded: tuple[Path, Path], fault: str
) -> None:
    path, data = sharded
    one = data / "maps-0.js"
    if fault == "missing":
        one.unlink()
    else:
        one.write_text(one.read_text().replace('campareShard("', 'campareShard("0'))
    browser.call("Page.navigate", url=path.as_uri())
    browser.wait("document.getElementById('status')?.textContent.includes('cannot be shown')")
    (message,) = texts(browser, "#status")
    assert f"explorer_data/maps-0.js is {fault}" in message
    assert "folder explorer_data" in message
    browser.errors.clear()


def test_keys(page: Browser, folder: Path) -> None:
    page.state("#view=images&sort=index&order=asc")
    page.run("document.getElementById('grid').focus()")
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.press(key)
    assert f"Image {small.INDEX[2]}," in texts(page, "#view h2")[-1]
    page.press("ArrowRight")
    assert f"image={small.INDEX[3]}" in page.run("location.hash")
    page.press("ArrowLeft")
    page.press("d")
    assert "show=difference" in page.run("location.hash")
    page.press("Escape")
    assert page.run("document.querySelector('#tabs [aria-current]').dataset.view") == "images"
    page.press("1")
    assert page.run("document.querySelector('#tabs [aria-current]').dataset.view") == "answer"
    page.press("?")
    assert page.run("!document.getElementById('help').hidden")
    contents, *_ = texts(page, "#help h2 + p")
    assert contents.startswith("40 test images (12 × 10 pixels), 7 networks. Maps: Grad-CAM; 4 × 5")
    links = "[...document.querySelectorAll('#tables a')].map((link) => link.href)"
    beside = folder.as_uri()
    assert page.run(links) == [f"{beside}/tables/summary.html", f"{beside}/tables/shift.html"]
    keep(page, "help")


@pytest.mark.parametrize("show", ["overlay", "map", "difference", "blink"])
def test_every_presentation_draws(page: Browser, show: str) -> None:
    page.state(f"#view=images&show={show}")
    page.press("b")
    assert len(texts(page, ".rows canvas")) > 10
    keep(page, f"images_{show}")


def test_back_returns_to_the_view_before(page: Browser) -> None:
    page.state("#view=images")
    page.run("document.querySelector('#tabs [data-view=scatter]').click()")
    page.run("history.back()")
    page.wait("document.querySelector('#tabs [aria-current]').dataset.view === 'images'")


def test_a_theme_changes_all_colours_with_contrast(page: Browser) -> None:
    contrasts = {}
    for theme in ("light", "dark"):
        page.state(f"#view=image&theme={theme}")
        contrasts[theme] = page.run(CONTRAST)
        assert min(contrasts[theme].values()) >= 4.5, contrasts
        keep(page, f"theme_{theme}")
    assert contrasts["light"] != contrasts["dark"]


CONTRAST = """(() => {
    const style = getComputedStyle(document.documentElement);
    const luminance = (name) => {
        const hex = style.getPropertyValue(name).trim().slice(1);
        const parts = [0, 2, 4].map((k) => parseInt(hex.slice(k, k + 2), 16) / 255);
        const linear = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const found = {};
    for (const ground of ['--ground', '--panel'])
        for (const text of ['--text', '--quiet', '--accent', '--right', '--wrong']) {
            const [a, b] = [luminance(ground), luminance(text)].sort((x, y) => y - x);
            found[text + ground] = (a + 0.05) / (b + 0.05);
        }
    return found;
})()"""


@pytest.mark.parametrize("view", ["answer", "images", "image", "scatter", "maps"])
def test_everything_that_can_be_used_has_a_name(page: Browser, view: str) -> None:
    page.state(f"#view={view}")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "link", "combobox", "slider", "spinbutton", "image", "textbox", "grid"}
    nameless = [
        node["role"]["value"]
        for node in nodes
        if not node.get("ignored")
        and node["role"]["value"] in roles
        and not node.get("name", {}).get("value", "").strip()
    ]
    assert nameless == []


def test_a_study_of_one_network_has_a_page(browser: Browser, folder: Path) -> None:
    browser.errors.clear()
    browser.open((folder / "bare.html").as_uri())
    assert texts(browser, "#tabs a") == ["Images", "One image", "Scatter", "Map clusters"]
    for view in ("images", "image", "scatter", "maps"):
        browser.state(f"#view={view}")
        assert count(browser) == small.IMAGES
        assert len(texts(browser, "#view canvas")) > 0
        keep(browser, f"bare_{view}")
    assert browser.errors == []


def test_a_click_on_a_row_opens_its_image(page: Browser) -> None:
    page.state("#view=images&sort=index&order=asc")
    x, y = page.run(
        "(({x, y}) => [x + 20, y + 20])"
        "(document.querySelector('.rows [aria-rowindex=\"3\"] canvas').getBoundingClientRect())"
    )
    page.drag((x, y), (x, y))
    assert f"Image {small.INDEX[1]}," in texts(page, "#view h2")[0]


def test_another_way_of_making_maps_keeps_the_view(browser: Browser, tmp_path: Path) -> None:
    variants = {"": "Grad-CAM", "variants/deep #1/": "HiRes-CAM"}
    for variant in variants:
        folder = tmp_path / variant
        folder.mkdir(parents=True, exist_ok=True)
        text = explorer_page.render(small.full(variant=variant, variants=variants))
        (folder / "explorer.html").write_text(text, encoding="utf-8")
    browser.errors.clear()
    browser.open((tmp_path / "explorer.html").as_uri())
    browser.state("#view=images&sort=mad&of=cutmix")
    choose = (
        "(() => { const list = document.querySelector('#variants select');"
        "list.selectedIndex = 1 - list.selectedIndex; list.dispatchEvent(new Event('change')); })()"
    )
    for there in ("deep%20%231/explorer.html#view=images", "/explorer.html#view=images"):
        browser.run(choose)
        browser.wait(f"location.href.includes({json.dumps(there)})")
        browser.wait("document.documentElement?.dataset.ready !== undefined")
        assert browser.run("document.getElementById('control-sort').value") == "mad"
    assert browser.errors == []


def test_pages_of_variants_link_to_each_other_in_a_report(browser: Browser, tmp_path: Path) -> None:
    variants = {"": "Grad-CAM", "variants/deep/": "HiRes-CAM"}
    for variant in variants:
        payload = small.full(variant=variant, variants=variants, folder="results/small/")
        identifier = get_report_id(f"results/small/{variant}explorer.html")[:FILE_HASH_PREFIX_LEN]
        (tmp_path / "data/raw" / identifier).mkdir(parents=True)
        page = tmp_path / "data/raw" / identifier / "explorer.html"
        page.write_text(explorer_page.render(payload), encoding="utf-8")
    browser.errors.clear()
    browser.open(page.as_uri())
    browser.run(
        "(() => { const list = document.querySelector('#variants select');"
        "list.selectedIndex = 0; list.dispatchEvent(new Event('change')); })()"
    )
    browser.wait(f"!location.href.includes('{identifier}')")
    browser.wait("document.documentElement?.dataset.ready !== undefined")
    chosen = "document.querySelector('#variants select').selectedOptions[0].text"
    assert browser.run(chosen) == "Grad-CAM"
    assert browser.errors == []


def test_the_outline_of_a_region_is_drawn(browser: Browser, tmp_path: Path) -> None:
    masks = np.zeros((small.IMAGES, 1, 12, 10), bool)
    masks[:, 0, 3:9, 2:8] = True
    payload = small.full(regions=lambda index: Regions(("object",), masks))
    (tmp_path / "explorer.html").write_text(explorer_page.render(payload), encoding="utf-8")
    browser.open((tmp_path / "explorer.html").as_uri())
    script = """(() => {
        const canvas = document.querySelectorAll('.rows [role=gridcell] canvas')[1];
        const at = (row, column) => [...canvas.getContext('2d').getImageData(
            (column + 0.5) * canvas.width / 10, (row + 0.5) * canvas.height / 12, 1, 1).data];
        return [at(3, 4), at(8, 2), at(5, 5), at(1, 1)];
    })()"""
    pink = [255, 0, 200, 255]
    browser.state("#view=images&show=map&region=object")
    edge, corner, inside, outside = browser.run(script)
    assert edge == corner == pink and pink not in (inside, outside)
    browser.state("#view=images&show=map")
    assert pink not in browser.run(script)


def test_a_small_window_does_not_cut_off(page: Browser) -> None:
    page.resize(420, 800)
    try:
        for view in ("answer", "images", "image", "scatter", "maps"):
            page.state(f"#view={view}")
            wide: Any = page.run("document.documentElement.scrollWidth")
            assert wide <= 421, view
            keep(page, f"narrow_{view}")
    finally:
        page.resize(1400, 900)


def test_long_names_of_classes_leave_room_for_the_numbers(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small, "CLASSES", ("x" * 300, "several words " * 30, "قطة"))
    file = tmp_path / "long.html"
    file.write_text(explorer_page.render(small.full()), encoding="utf-8")
    browser.open(file.as_uri())
    browser.state("#view=images&sort=mad&seed=1&size=48")
    outside = """[...document.querySelectorAll(".rows .number")].filter((number) => {
      const [own, row] = [number, number.parentElement].map((e) => e.getBoundingClientRect());
      return own.bottom > row.bottom + 1 || own.right > row.right + 1;
    }).length"""
    assert browser.run("document.querySelectorAll('.rows .number').length") > 10
    assert browser.run(outside) == 0
    names = texts(browser, "#control-class option")
    assert names == ["any", "x" * 300, "several words " * 30, "\u2068قطة\u2069"]
