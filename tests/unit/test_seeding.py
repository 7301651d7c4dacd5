"""Numbers that belong to an image: Philox4x32-10 and what is made of it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from campare import seeding

WORD = 2**32 - 1
word = st.integers(0, WORD)


def _tensors(counter: tuple[int, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.tensor([value]) for value in counter)


def _run(counter: tuple[int, ...], key: tuple[int, int]) -> tuple[int, ...]:
    return tuple(int(value) for value in seeding.philox(_tensors(counter), key))


def _reference(counter: tuple[int, ...], key: tuple[int, int]) -> tuple[int, ...]:
    """Salmon et al. 2011, in Python's unbounded integers."""
    (a, b, c, d), (k, m) = counter, key
    for _ in range(10):
        first, second = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = second >> 32 ^ b ^ k, second & WORD, first >> 32 ^ d ^ m, first & WORD
        k, m = (k + 0x9E3779B9) & WORD, (m + 0xBB67AE85) & WORD
    return a, b, c, d


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000",
         "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
         "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
         "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)  # fmt: skip
def test_known_answers_of_random123(counter: str, key: str, expected: str) -> None:
    numbers = [tuple(int(value, 16) for value in text.split()) for text in (counter, key, expected)]
    assert _run(numbers[0], numbers[1]) == numbers[2]


@settings(max_examples=50, deadline=None)
@given(st.tuples(word, word, word, word), st.tuples(word, word))
def test_philox_equals_unbounded_integers(counter: tuple[int, ...], key: tuple[int, int]) -> None:
    assert _run(counter, key) == _reference(counter, key)


def test_words_are_keyed_as_stated() -> None:
    drawn = seeding.words(7, 3, torch.tensor([11, 12]), torch.tensor([0, 1]), 10, stream=5)
    for row, (source, copy) in enumerate([(11, 0), (12, 1)]):
        blocks = [_reference((source, copy, block, 5), (7, 3)) for block in range(3)]
        assert drawn[row].tolist() == [value for block in blocks for value in block][:10]


def test_a_number_does_not_depend_on_the_batch_or_the_count() -> None:
    source, copy = torch.arange(40) * 997, torch.arange(40) % 3
    together = seeding.uniforms(1, 2, source, copy, 21)
    shuffled = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    assert torch.equal(
        seeding.uniforms(1, 2, source[shuffled], copy[shuffled], 21), together[shuffled]
    )
    for row in range(40):
        alone = seeding.uniforms(1, 2, source[row : row + 1], copy[row : row + 1], 5)
        assert torch.equal(alone[0], together[row, :5])


def test_every_part_of_the_key_matters() -> None:
    one = torch.ones(1, dtype=torch.int64)

    def draw(seed: int = 1, epoch: int = 1, source: int = 1, copy: int = 1, stream: int = 1) -> int:
        return int(seeding.words(seed, epoch, one * source, one * copy, 1, stream=stream))

    names = ("seed", "epoch", "source", "copy", "stream")
    assert len({draw(), *(draw(**{name: 2}) for name in names)}) == 1 + len(names)


def test_uniforms_are_float32_in_the_unit_interval() -> None:
    numbers = seeding.uniforms(0, 0, torch.arange(1000), torch.zeros(1000, dtype=torch.int64), 100)
    assert numbers.shape == (1000, 100)
    assert numbers.dtype == torch.float32
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert seeding.unit(torch.tensor([0, WORD])).tolist() == [0, 1 - 2**-24]


def test_uniforms_are_uniform_and_independent() -> None:
    numbers = seeding.uniforms(3, 1, torch.arange(2000), torch.zeros(2000, dtype=torch.int64), 40)
    assert stats.kstest(numbers.flatten().numpy(), "uniform").pvalue > 0.01
    along_numbers = (numbers[:, :-1] * 16).long() * 16 + (numbers[:, 1:] * 16).long()
    along_images = (numbers[:-1] * 16).long() * 16 + (numbers[1:] * 16).long()
    for cells in (along_numbers[:, ::2], along_images[::2]):
        assert stats.chisquare(cells.flatten().bincount(minlength=256)).pvalue > 0.01


def test_every_octet_of_a_word_is_uniform() -> None:
    words = seeding.words(9, 9, torch.arange(500), torch.zeros(500, dtype=torch.int64), 100)
    for shift in (0, 8, 16, 24):
        counts = (words.flatten() >> shift & 255).bincount(minlength=256)
        assert stats.chisquare(counts).pvalue > 0.01


def test_an_empty_batch_has_no_numbers() -> None:
    none = torch.empty(0, dtype=torch.int64)
    assert seeding.uniforms(0, 0, none, none, 6).shape == (0, 6)


@pytest.fixture
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    threads, fill = torch.get_num_threads(), torch.utils.deterministic.fill_uninitialized_memory
    cudnn = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = fill
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = cudnn


@pytest.mark.usefixtures("_restored")
def test_deterministic_fixes_threads_and_algorithms() -> None:
    torch.backends.cudnn.benchmark = True
    seeding.deterministic(2)
    assert torch.get_num_threads() == 2
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
