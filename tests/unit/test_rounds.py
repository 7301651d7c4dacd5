"""Ratios of the benchmarks, by sides whose rates are known."""

from __future__ import annotations

from rounds import interleaved, row


def test_a_ratio_is_of_rates_of_the_same_round_and_the_first_round_does_not_count() -> None:
    order: list[str] = []

    def side(name: str, rates: list[float]) -> float:
        order.append(name)
        return rates.pop(0)

    ours, theirs = [1.0, 20.0, 60.0, 30.0], [9.0, 10.0, 20.0, 30.0]
    sides = {"ours": lambda: side("ours", ours), "theirs": lambda: side("theirs", theirs)}
    rates = interleaved(sides, 3)
    found = row("work", rates, "ours", "theirs", 2, "images/s")
    assert (found.ratio, found.low, found.high, found.n) == (2, 1, 3, 3)
    assert (found.ours, found.theirs) == (30, 20)
    assert order == ["theirs", "ours", "ours", "theirs"] * 2
