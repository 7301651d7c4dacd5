"""A replayed step changes weights as the step itself does, to the bit."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from campare import replay
from campare.errors import CampareError
from campare.optimizers import Adam


class Trained:
    """A network with all that steps change: weights, a batch norm's statistics, Adam's moments."""

    def __init__(self, device: str = "cpu", rate: float | Tensor = 1e-2) -> None:
        torch.manual_seed(0)
        self.network = nn.Sequential(
            *(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3)),
            *(nn.Flatten(), nn.Linear(144, 3)),
        ).to(device)
        self.adam = Adam(self.network.parameters(), rate, 1e-5)

    def state(self) -> list[Tensor]:
        return [*self.network.state_dict().values(), *self.adam.state().values()]

    def step(self, images: Tensor, targets: Tensor) -> Tensor:
        loss = F.cross_entropy(self.network(images.float()), targets)
        self.network.zero_grad()
        loss.backward()
        self.adam.step()
        return loss.detach()


def recorded(work: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
    """As `on_cuda`: steps beforehand, random numbers as they were, one place for the result."""
    with torch.random.fork_rng([]):
        for _ in range(replay.WARMUP):
            work()
        result = work()
    return lambda: result.copy_(work()), result


def losses(
    trained: Trained,
    step: replay.Step,
    sizes: list[int],
    device: str = "cpu",
    rates: Sequence[float] = (),
) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(2)
    found = []
    for place, size in enumerate(sizes):
        if rates:
            trained.adam.set_rate(rates[place])
        images = torch.randint(0, 256, (size, 1, 8, 8), generator=generator, dtype=torch.uint8)
        targets = torch.eye(3)[torch.randint(0, 3, (size,), generator=generator)]
        found.append(step(images.to(device), targets.to(device)))
    return torch.stack(found)


@pytest.mark.parametrize("sizes", [[8, 8, 8, 5, 8, 8, 5], [5, 8, 5], [8]])
def test_a_replay_is_the_step_itself(sizes: list[int]) -> None:
    plain, replayed = Trained(), Trained()
    expected = losses(plain, plain.step, sizes)
    found = losses(replayed, replay.Replay(replayed.step, replayed.state(), recorded), sizes)
    assert torch.equal(found, expected)
    for a, b in zip(replayed.state(), plain.state(), strict=True):
        assert torch.equal(a, b)


def test_the_largest_batches_are_replayed_and_smaller_ones_are_not() -> None:
    trained, sizes = Trained(), []

    def noted(images: Tensor, targets: Tensor) -> Tensor:
        sizes.append(len(images))
        return trained.step(images, targets)

    step = replay.Replay(noted, trained.state(), lambda work: (lambda: None, work()))
    losses(trained, step, [5, 8, 8, 5, 8])
    assert sizes == [5, 8, 5]  # a resumed epoch may begin with its last batch


SIZES = [8, 8, 8, 5, 8, 8, 5]
RATES = [0.03, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0]


def test_a_rate_on_the_device_changes_a_recorded_step() -> None:
    """The recording has the address of the rate, not its value."""
    plain, replayed = (Trained(rate=torch.tensor(1e-2)) for _ in range(2))
    expected = losses(plain, plain.step, SIZES, rates=RATES)
    step = replay.Replay(replayed.step, replayed.state(), recorded)
    address = replayed.adam.learning_rate
    assert torch.equal(losses(replayed, step, SIZES, rates=RATES), expected)
    assert replayed.adam.learning_rate is address
    for a, b in zip(replayed.state(), plain.state(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("rates", [[], RATES])
def test_a_cuda_graph_is_the_step_itself(rates: list[float]) -> None:
    def make() -> Trained:
        return Trained("cuda", torch.tensor(1e-2, device="cuda") if rates else 1e-2)

    plain, replayed = make(), make()
    expected = losses(plain, plain.step, SIZES, "cuda", rates)
    step = replay.Replay(replayed.step, replayed.state(), replay.on_cuda)
    assert torch.equal(losses(replayed, step, SIZES, "cuda", rates), expected)
    for a, b in zip(replayed.state(), plain.state(), strict=True):
        assert torch.equal(a, b)


def refusal() -> str:
    """The message about a step that cannot be recorded."""
    trained = Trained("cuda")

    def asking(images: Tensor, targets: Tensor) -> Tensor:
        loss = trained.step(images, targets)
        loss.item()
        return loss

    with pytest.raises(CampareError) as refused:
        losses(trained, replay.Replay(asking, trained.state(), replay.on_cuda), [8], "cuda")
    return str(refused.value)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_step_that_asks_the_device_is_refused() -> None:
    """In a process of its own, because torch's random numbers on the GPU cannot be used after."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        assert "training.cuda_graph" in pool.submit(refusal).result()
