"""Training steps replayed as CUDA graphs: with small batches, launching kernels takes most time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from campare.errors import CampareError

Step = Callable[[Tensor, Tensor], Tensor]
WARMUP = 3  # steps before a recording: libraries choose their kernels and make their workspaces


class Replay:
    """A step (images, targets) -> loss, recorded for one batch size and replayed.

    A replay launches the same kernels on the same memory, with the same random numbers, as the step
    itself, so results are equal bit for bit. A smaller batch, the last one of an epoch, is not
    replayed.

    Parameters
    ----------
    step
        Changes only `state`, in place, and does not wait for the device.
    state
        The tensors that a step changes; they are restored after the steps of a recording.
    record
        `on_cuda`, or a substitute without a GPU.
    """

    def __init__(
        self,
        step: Step,
        state: Sequence[Tensor],
        record: Callable[[Callable[[], Tensor]], tuple[Callable[[], None], Tensor]],
    ) -> None:
        self.step, self.state, self.record = step, state, record
        self.images = self.targets = torch.empty(0)

    def __call__(self, images: Tensor, targets: Tensor) -> Tensor:
        """Make a step with a batch; return its loss before the step."""
        if len(images) > len(self.images):
            self.images, self.targets = images.clone(), targets.clone()
            kept = [tensor.clone() for tensor in self.state]
            self.again, self.loss = self.record(lambda: self.step(self.images, self.targets))
            for tensor, before in zip(self.state, kept, strict=True):
                tensor.copy_(before)
        elif len(images) < len(self.images):
            return self.step(images, targets)
        self.images.copy_(images)
        self.targets.copy_(targets)
        self.again()
        return self.loss.clone()


def on_cuda(work: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
    """Record `work` as a CUDA graph: a function that replays it, and the tensor of its result.

    The state of torch's random numbers is restored.

    Raises
    ------
    CampareError
        The work cannot be recorded, because it reads a value from the device.
    """
    device = torch.device("cuda", torch.cuda.current_device())
    with torch.random.fork_rng([device.index]):
        aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(aside):
            for _ in range(WARMUP):
                work()
        torch.cuda.current_stream(device).wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                result = work()
        except RuntimeError as error:
            raise CampareError(
                f"training.cuda_graph: this network's training step cannot be recorded ({error}); "
                "set it to false"
            ) from error
    return graph.replay, result
