"""A training step launched whole: of small batches a GPU would wait for every kernel's launch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from campare.errors import CampareError

Step = Callable[[Tensor, Tensor], Tensor]
WARMUP = 3  # steps before a recording: libraries choose their kernels and make their workspaces


class Replay:
    """A step (images, targets) -> loss recorded for one size of batch, and replayed.

    A replay launches the kernels that the step itself would, on the same memory, and draws the
    numbers that it would: the same bits. A smaller batch, the last of an epoch, goes through the
    step itself.

    Parameters
    ----------
    step
        Changes nothing but `state`, in place, and never waits for the device.
    state
        What a step changes; put back after the steps that a recording takes.
    record
        `on_cuda`, or what stands in for it without a GPU.
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
        """The loss of a batch, before the step that it causes."""
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
    """Record `work` as a CUDA graph: what runs it again, and the tensor that receives its result.

    Torch's random numbers are afterwards where they were.

    Raises
    ------
    CampareError
        The work cannot be recorded, since it asks the device for a value.
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
