"""Names stay different however short they are, and numbers in them are in their order."""

from __future__ import annotations

import pytest

from campare import naming

PLANTS = [
    "Apple___Apple_scab",
    "Pepper__bell___Bacterial_spot",
    "Pepper__bell___healthy",
    "Tomato_Septoria_spot",
    "Tomato_Target_spot",
    "healthy",
]


def test_names_sorted_as_text_are_put_in_the_order_of_their_numbers() -> None:
    names = ["1", "10", "2", "a1b10", "a1b9"]
    assert [names[place] for place in naming.ordered(names)] == ["1", "2", "10", "a1b9", "a1b10"]
    assert naming.ranks(["1", "10", "2"]).tolist() == [0, 2, 1]


@pytest.mark.parametrize("names", [["T-shirt", "Bag"], ["10", "2", "1"], ["a", "b"], []])
def test_other_orders_are_kept(names: list[str]) -> None:
    assert naming.ordered(names) == list(range(len(names)))


@pytest.mark.parametrize("room", [60, 24, 16, 11, 9])
def test_shortened_names_fit_and_differ(room: int) -> None:
    names = [*PLANTS, *(f"Species number {k:03} of a genus" for k in range(200))]
    shown = naming.shortened(names, room)
    assert set(shown) == set(names)
    assert len(set(shown.values())) == len(names)
    assert max(map(len, shown.values())) <= room
    assert all(shown[name] == name for name in names if len(name) <= room)


def test_names_are_cut_where_they_do_not_differ() -> None:
    shown = naming.shortened(PLANTS, 11)
    assert shown["Pepper__bell___Bacterial_spot"] == "Peppe…_spot"
    assert shown["Pepper__bell___healthy"] == "Peppe…althy"
    assert shown["Tomato_Target_spot"] == "…Targe…spot"
    assert shown["Tomato_Septoria_spot"] == "…Septo…spot"


def test_what_cannot_be_told_apart_is_numbered() -> None:
    assert naming.shortened(["a b", "a  b", "a\nb"], 9) == {
        "a b": "a b", "a  b": "a b (2)", "a\nb": "a b (3)",
    }  # fmt: skip


def test_the_width_of_names_is_the_callers() -> None:
    wide = naming.shortened(["iiiiii", "MMMMMM"], 8, lambda text: sum(1 + (c == "M") for c in text))
    assert wide == {"iiiiii": "iiiiii", "MMMMMM": "MM…M"}


@pytest.mark.parametrize("name", ["قطة", "כלב", "cat قطة 3"])
def test_names_written_from_right_to_left_do_not_move_what_is_next_to_them(name: str) -> None:
    assert naming.isolated(name) == f"\u2068{name}\u2069"


@pytest.mark.parametrize("name", ["", "cat", "猫", "Löwe 3", "$x_1$", "\u2192"])
def test_other_names_are_not_changed(name: str) -> None:
    assert naming.isolated(name) == name
