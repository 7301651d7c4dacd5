"""The interface for notebooks: a study's tables, stores and pictures, and what it refuses."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import AxesImage
from matplotlib.text import Text
from PIL import Image

import campare
from campare import data, maps, store, tables
from campare.errors import CampareError
from campare.results import Study

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
INDEX = np.array([2, 5, 7])
LABELS = np.arange(9) % 2
SIDE = 8
MODELS = [("baseline", 1), ("affine", 1), ("affine", 2), ("affine", 10), ("cutmix", 1)]


def write_store(path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    attributes: dict[str, str | int] = dict.fromkeys(store.ATTRIBUTES, "x")
    attributes |= {"augmentation": path.parent.name, "seed": int(path.stem)}
    batch = (
        random.normal(size=(3, 4, 4)).astype(np.float32),
        random.normal(size=(3, 2)).astype(np.float32),
        np.zeros(3, np.int64),
    )
    labels = LABELS[INDEX]
    attributes["input_size"] = SIDE
    store.write(path, [batch], labels=labels, indices=INDEX, attributes=attributes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a study with a variant of its maps."""
    path = tmp_path_factory.mktemp("results") / "small"
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (9, 6, 6, 1), dtype=np.uint8)
    part = np.full(9, "", dtype="U5")
    data.write(data.Dataset(pictures, LABELS, ("7", "None"), part), path / "data.h5")
    for number, (augmentation, seed) in enumerate(MODELS):
        for under in ("", "variants/of_truth"):
            write_store(path / under / "cams" / augmentation / f"{seed}.h5", number)
        if augmentation != "baseline":
            frame = pd.DataFrame({"index": INDEX, "mad": [0.1 * number, 0.2, np.nan]})
            tables.write(frame, path / "similarity" / augmentation / f"{seed}.parquet")
    tables.write(frame, path / "similarity" / "cnn-svm" / "1_other_images.parquet")  # no model's
    names = {"augmentation": ["1", "2"], "class": ["7", "None"], "images": [1, 2]}
    tables.write(pd.DataFrame(names), path / "tables" / "accuracy.csv")
    tables.write(pd.DataFrame(names), path / "variants" / "of_truth" / "tables" / "of_maps.csv")
    tables.write(
        pd.DataFrame({"label": ["7"], "prediction": ["None"], "images": [3]}),
        path / "tables" / "confusion.csv",
    )
    tables.write(pd.DataFrame({"index": INDEX}), path / "tables" / "aggregate.parquet")
    tables.write(pd.DataFrame({"index": INDEX, "label": LABELS[INDEX]}), path / "split.csv")
    tables.write(pd.DataFrame({"epoch": [1, 2]}), path / "models" / "affine" / "1.csv")
    return path


@pytest.fixture
def study(folder: Path) -> Study:
    return campare.open_study(folder)


def test_models_are_those_with_a_store_and_in_the_order_of_figures(study: Study) -> None:
    assert study.name == "small"
    assert study.models == MODELS


@pytest.mark.parametrize("given", [str, Path])
def test_a_path_may_be_text(folder: Path, given: Callable[[Path], Any]) -> None:
    assert campare.open_study(given(folder)).path == folder


def test_a_name_may_come_from_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert campare.open_study(".").name == "small"


def test_tables_are_read_by_name_with_names_as_text(study: Study) -> None:
    assert study.tables == ["accuracy", "aggregate", "confusion"]
    table = study.table("accuracy")
    assert table["augmentation"].tolist() == ["1", "2"]
    assert table["class"].tolist() == ["7", "None"]
    assert table["images"].tolist() == [1, 2]
    assert study.table("confusion")["label"].tolist() == ["7"]
    assert study.table("aggregate")["index"].tolist() == INDEX.tolist()


def test_other_tables_are_read_by_their_path(study: Study) -> None:
    assert study.table("split")["label"].tolist() == LABELS[INDEX].tolist()
    assert study.table("models/affine/1")["epoch"].tolist() == [1, 2]
    assert len(study.table("similarity/cutmix/1")) == 3


def test_similarity_of_one_seed_or_of_all(study: Study) -> None:
    one, every = study.similarity("affine", 2), study.similarity("affine")
    assert list(every.columns) == ["seed", "index", "mad"]
    assert every["seed"].tolist() == [1, 1, 1, 2, 2, 2, 10, 10, 10]
    pd.testing.assert_frame_equal(one, every[every["seed"] == 2].reset_index(drop=True))


def test_maps_are_as_shown_at_the_input_size(study: Study) -> None:
    shown = study.maps("affine", 10)
    assert shown.dtype == np.float32
    assert shown.shape == (3, SIDE, SIDE)
    assert shown.min() == 0
    assert shown.max() == pytest.approx(1, abs=1e-6)
    kept = study.store("affine", 10)
    np.testing.assert_array_equal(shown, maps.show(kept.maps, (SIDE, SIDE)))
    np.testing.assert_array_equal(study.maps("affine", 10, [2, 0]), shown[[2, 0]])
    assert study.store("affine", 10, [2, 0]).index.tolist() == [7, 2]


def test_pictures_and_labels_belong_to_the_maps(study: Study) -> None:
    index = study.store("cutmix", 1).index
    assert study.images().shape == (9, 6, 6, 1)
    np.testing.assert_array_equal(study.images(index), study.images()[INDEX])
    assert study.images(index).dtype == np.uint8
    assert study.labels(index).tolist() == LABELS[INDEX].tolist()
    assert study.labels().tolist() == LABELS.tolist()
    assert study.classes == ("7", "None")


def test_a_variant_has_tables_and_stores_of_its_own(study: Study) -> None:
    assert study.variants == ["of_truth"]
    variant = study.variant("of_truth")
    assert variant.models == MODELS
    assert variant.tables == ["of_maps"]
    assert len(variant.images(variant.store("affine", 1).index)) == 3
    assert variant.table("split")["index"].tolist() == INDEX.tolist()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda s: s.table("acuracy"),
            r"acuracy: there is no such table; did you mean 'accuracy'\?",
        ),
        (lambda s: s.table(".."), "no such table; known: accuracy, aggregate, confusion"),
        (
            lambda s: s.store("affine", 7),
            r"cams: .* no file of the model 'affine 7'; .*affine 10",
        ),
        (lambda s: s.maps("afine", 1), r"did you mean 'affine 1'\?"),
        (
            lambda s: s.similarity("baseline"),
            "similarity: .* no file of the model 'baseline'; known",
        ),
        (lambda s: s.similarity("affine", 3), "there is no file of the model 'affine 3'"),
        (lambda s: s.store("affine", 1, [3]), "affine/1.h5: .*run snakemake again"),
        (lambda s: s.images([9]), "data.h5: positions 9 to 9 are outside 0 to 8"),
        (lambda s: s.labels([-1, 2]), "positions -1 to 2 are outside"),
        (
            lambda s: s.variant("layercam"),
            "layercam: there is no such variant .*known: of_truth",
        ),
        (
            lambda s: s.variant("of_truth").similarity("affine"),
            "no models: run snakemake",
        ),
    ],
)
def test_what_is_not_there_is_named_with_what_is(
    study: Study, ask: Callable[[Study], Any], message: str
) -> None:
    with pytest.raises(CampareError, match=message):
        ask(study)


def test_a_folder_that_is_missing_or_no_study_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CampareError, match=r"nowhere: there is no such folder; .*results/<study>"):
        campare.open_study(tmp_path / "nowhere")
    with pytest.raises(CampareError, match="not the results of a study; run it first"):
        campare.open_study(tmp_path)
    with pytest.raises(CampareError, match="open one of the studies in it: small"):
        campare.open_study(folder.parent)
    with pytest.raises(CampareError, match="no such folder"):
        campare.open_study(folder / "split.csv")


def test_a_study_that_is_half_made_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    study = campare.open_study(tmp_path)
    assert (study.models, study.tables, study.variants) == ([], [], [])
    with pytest.raises(CampareError, match="there are no tables: run snakemake"):
        study.table("summary")
    with pytest.raises(CampareError, match="there are no models: run snakemake"):
        study.maps("affine", 1)
    with pytest.raises(CampareError, match=r"data\.h5: cannot be read .*; run snakemake again"):
        study.images()
    with pytest.raises(CampareError, match="the study has none"):
        study.variant("layercam")


def test_a_broken_store_is_refused_as_everywhere(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "cams" / "affine" / "1.h5"
    broken.parent.mkdir(parents=True)
    broken.write_bytes((folder / "cams" / "affine" / "1.h5").read_bytes()[:500])
    with pytest.raises(
        CampareError, match=r"affine/1\.h5: not a readable CAM store .*move it away"
    ):
        campare.open_study(tmp_path).maps("affine", 1)


def test_importing_campare_imports_nothing_heavy() -> None:
    code = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); import campare; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    heavy = {"numpy", "pandas", "h5py", "torch", "PIL", "jsonschema", "campare.results"}
    assert not heavy & set(run.stdout.split())


def test_opening_a_study_needs_no_torch(folder: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); import campare\n"
        f"study = campare.open_study({str(folder)!r}); study.maps('affine', 1); study.images()\n"
        "print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    unneeded = {"torch", "sklearn", "scipy", "matplotlib", "numba", "snakemake"}
    assert not unneeded & set(run.stdout.split())


# One image with all its maps


def test_an_image_has_the_map_and_the_prediction_of_every_model(study: Study) -> None:
    found = study.image(5)
    assert [(view.augmentation, int(view.seed)) for view in found.views] == MODELS
    for view, (name, seed) in zip(found.views, MODELS, strict=True):
        kept = study.store(name, seed)
        np.testing.assert_array_equal(view.image, study.images([5])[0])
        np.testing.assert_array_equal(view.map, study.maps(name, seed)[1])
        assert view.predicted == study.classes[kept.predicted[1]]
        assert view.probability == pytest.approx(kept.prediction[1].max())
    assert found.predictions["correct"].tolist() == [
        study.store(*model).predicted[1] == LABELS[5] for model in MODELS
    ]
    assert "image 5" in repr(found)


def test_a_notebook_draws_the_maps_of_an_image(study: Study) -> None:
    found = study.image(7, augmentations=["affine", "baseline"], opacity=0.3)
    assert [view.augmentation for view in found.views] == ["affine"] * 3 + ["baseline"]
    drawn = [image for image in found.figure.findobj(AxesImage) if image.get_alpha() == 0.3]
    assert len(drawn) == 4
    np.testing.assert_array_equal(drawn[0].get_array(), study.maps("affine", 1)[2])
    png = found._repr_png_()
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        assert picture.width > picture.height > 100
    assert found._repr_png_() == png


def test_an_image_of_a_variant(study: Study) -> None:
    found = study.image(2, variant="of_truth", augmentations="cutmix")
    assert found.maps == "of_truth"
    (view,) = found.views
    np.testing.assert_array_equal(view.map, study.variant("of_truth").maps("cutmix", 1)[0])
    texts = [text.get_text() for text in found.figure.findobj(Text)]
    assert "Image 2. Maps: of_truth" in texts


def test_maps_without_predictions_have_no_captions(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "data.h5", tmp_path)
    attributes: dict[str, str | int] = dict.fromkeys(store.ATTRIBUTES, "x") | {"input_size": SIDE}
    path = tmp_path / "cams" / "baseline" / "1.h5"
    unknown = np.ones((3, 4, 4), np.float32), np.zeros((3, 2), np.float32), np.zeros(3, np.int64)
    store.write(path, [unknown], labels=LABELS[INDEX], indices=INDEX, attributes=attributes)
    found = campare.open_study(tmp_path).image(5)
    assert found.views[0].predicted == ""
    assert not any("%" in text.get_text() for text in found.figure.findobj(Text))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"position": 4}, "no map of image 4"),
        ({"position": 5, "augmentations": ["afine"]}, "afine"),
        ({"position": 5, "variant": "none"}, "no such variant"),
        ({"position": 5, "opacity": 2}, "opacity"),
    ],
    ids=str,
)
def test_an_image_that_does_not_exist(
    study: Study, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(CampareError, match=message):
        study.image(**arguments)
