"""One training in several processes, as `torchrun` starts them, with PyTorch's collective operations.

    process 0   order(k)  ─▶ its part of batch k ─▶ gradients ─┐        it also validates, plays, and writes files
    process 1   orders()  ─▶ its part of batch k ─▶ gradients ─┴─▶ their sum, on all ─▶ the same step on all

Decision: the ticks are split among the processes, and each process learns from its own ticks of each batch. All draw
the same batch from the same random generator. So any number of processes together take the same step as one, and can
resume from its checkpoint.
Background: a process reads and preprocesses only the screens of its own part; the actions, one byte a tick, are known
to all, since they determine what is drawn. The parts of a batch differ by chance, by about the square root of their
size, and every step waits for the largest: with 128 ticks in two parts that costs a fifteenth of the time.
Alternatives: each process draws an equal part from its own ticks, but then every number of processes gives another
training; or each takes an equal part of the drawn batch, but then all must read everything.

Decision: all gradients are added up at once, after a step's backward pass.
Background: constructing DistributedDataParallel imports torch's compiler, which nothing here uses: 1.1 s of processor
time and 820 modules in every process. It would send gradients while others are still computed, but those of networks
as small as these take less than a thousandth of a second.

The first process makes all decisions that depend on a clock, and sends them to the others before each batch. These
messages go through gloo on the CPU; gradients go through NCCL on GPUs.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from recorder.errors import TwinplayError, first_line
from recorder.system.texts import count
from trainer.errors import TrainingError

# The others wait in a broadcast while the first process plays test games. A lost process is not detected by this
# timeout, but by its closed connection and by torchrun.
_PATIENCE = timedelta(days=1)
_SENTENCE_BYTES = 4_096
_LOOK_S = 0.05
_LEAVE = 0  # steps are numbered from 1


class ToldElsewhereError(TwinplayError):
    """The training ends for a reason that another process reports."""


class ProcessGroup:
    """The processes of a training, and this one's rank among them. In this base class it is the only process."""

    rank = 0
    size = 1
    local_size = 1  # processes on this machine, which share its cores

    @property
    def first(self) -> bool:
        """Whether this process makes the decisions and writes the files."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        """The device on which this process computes."""
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def take_over(self, weights: Sequence[Tensor]) -> None:
        """Replace these weights by the first process's, on all."""

    def add_up(self, gradients: Sequence[Tensor]) -> None:
        """Replace these gradients by their sums over all processes, on all."""

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """A context for work that needs all processes. Raises TrainingError when one is lost."""
        yield

    @contextlib.contextmanager
    def all_or_none(self) -> Iterator[None]:
        """A context for work that each process does alone, but that must succeed on all or fail on all.

        The first process raises the TwinplayError of whichever failed; the others raise ToldElsewhereError.
        """
        yield

    def agree(self, value: Any) -> Any:
        """Send the first process's value (plain JSON) to all."""
        return value

    def total(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The sum over all processes of arrays with the same shape and dtype, returned on all."""
        return values

    def copies(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Send the first process's tensors to all; the results are on the CPU."""
        return dict(tensors)

    def order(self, number: int, used: float) -> None:
        """Called by the first process: the others take step `number`, with this share of the budget used."""

    def orders(self) -> Iterator[tuple[int, float]]:
        """Called by the others: the steps that the first one orders, until it ends the training."""
        yield from ()

    def end_training(self) -> None:
        """Called by the first process between two steps: tell the others that the training is over."""

    def leave(self) -> None:
        """Called by all processes after the end."""


class TorchrunGroup(ProcessGroup):
    """The processes that torchrun started, connected through the environment variables that it sets.

    Raises TrainingError when they cannot connect, or when there are more of them than this machine has GPUs.
    """

    def __init__(self) -> None:
        self.rank, self.size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        self.local_size = int(os.environ["LOCAL_WORLD_SIZE"])
        self._local_rank = int(os.environ["LOCAL_RANK"])
        self._following = False
        gpus = torch.cuda.device_count()
        if 0 < gpus < self.local_size:
            if self._local_rank:
                raise ToldElsewhereError("there are too few GPUs")
            raise TrainingError(
                f"{self.local_size} processes were started on a machine with {count(gpus, 'GPU')}; "
                f"start one for each, with --nproc-per-node {gpus}"
            )
        if gpus:
            torch.cuda.set_device(self._local_rank)
        try:
            store = _meet(next(rendezvous("env://"))[0], self.rank, self.size)
            backend = "cpu:gloo,cuda:nccl" if gpus else "gloo"
            dist.init_process_group(backend, store=store, rank=self.rank, world_size=self.size, timeout=_PATIENCE)
        except (RuntimeError, ValueError) as error:
            reason = first_line(error)
            raise TrainingError(
                f"the {self.size} processes cannot connect to each other ({reason}); start them again"
            ) from None

    @property
    def device(self) -> torch.device:
        """One GPU for each process, or the CPU."""
        return torch.device("cuda", self._local_rank) if torch.cuda.is_available() else torch.device("cpu")

    def take_over(self, weights: Sequence[Tensor]) -> None:
        """See ProcessGroup."""
        self._exchange(weights, lambda all_of_them: dist.broadcast(all_of_them, 0))

    def add_up(self, gradients: Sequence[Tensor]) -> None:
        """See ProcessGroup."""
        self._exchange(gradients, dist.all_reduce)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """See ProcessGroup."""
        try:
            yield
        except RuntimeError as error:
            if not isinstance(error, dist.DistError) and "gloo" not in str(error):
                raise
            if not self.first:
                raise ToldElsewhereError("the training has ended") from error
            raise TrainingError(
                "a process of this training ended early (killed, or out of memory?); "
                "run the same command again to continue from the last checkpoint"
            ) from error

    @contextlib.contextmanager
    def all_or_none(self) -> Iterator[None]:
        """See ProcessGroup."""
        failure: TwinplayError | None = None
        try:
            yield
        except TwinplayError as error:
            failure = error
        told = self._gathered(str(failure or ""))
        if not any(told):
            self._following = True
            return
        if not self.first:
            raise ToldElsewhereError("the training has ended") from failure
        if failure is not None:
            raise failure
        other = next(rank for rank, text in enumerate(told) if text)
        raise TrainingError(f"process {other} of this training failed to start: {told[other]}")

    def agree(self, value: Any) -> Any:
        """See ProcessGroup."""
        encoded = json.dumps(value).encode() if self.first else b""
        length = self._broadcast(torch.tensor([len(encoded)]))
        data = torch.zeros(int(length), dtype=torch.uint8)
        if self.first:
            data = torch.frombuffer(bytearray(encoded), dtype=torch.uint8)
        return json.loads(bytes(self._broadcast(data).tolist()))

    def total(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """See ProcessGroup."""
        tensor = torch.from_numpy(np.ascontiguousarray(values).copy())
        with self.together():
            dist.all_reduce(tensor)
        return np.asarray(tensor.numpy())

    def copies(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See ProcessGroup."""
        described = [[name, list(each.shape), str(each.dtype).removeprefix("torch.")] for name, each in tensors.items()]
        found = {}
        for name, shape, dtype in self.agree(described):
            here = tensors[name].cpu().contiguous() if self.first else torch.empty(shape, dtype=getattr(torch, dtype))
            found[name] = self._broadcast(here)
        return found

    def order(self, number: int, used: float) -> None:
        """See ProcessGroup."""
        self._broadcast(torch.tensor([number, used], dtype=torch.float64))

    def orders(self) -> Iterator[tuple[int, float]]:
        """See ProcessGroup."""
        while True:
            number, used = self._broadcast(torch.zeros(2, dtype=torch.float64)).tolist()
            if number == _LEAVE:
                return
            yield int(number), used

    def end_training(self) -> None:
        """See ProcessGroup. Only needed once the others wait for orders; before that they notice that it has ended."""
        if self.first and self._following:
            with contextlib.suppress(TrainingError):
                self.order(_LEAVE, 1.0)
            self._following = False

    def leave(self) -> None:
        """See ProcessGroup."""
        dist.destroy_process_group()

    def _exchange(self, tensors: Sequence[Tensor], operation: Callable[[Tensor], object]) -> None:
        """Replace these tensors by what an operation makes of all their entries at once."""
        entries = torch.cat([tensor.detach().flatten() for tensor in tensors])
        with self.together():
            operation(entries)
        for tensor, found in zip(tensors, torch.split(entries, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.detach().copy_(found.view_as(tensor))

    def _broadcast(self, tensor: Tensor) -> Tensor:
        with self.together():
            dist.broadcast(tensor, 0)
        return tensor

    def _gathered(self, text: str) -> list[str]:
        encoded = text.encode()[:_SENTENCE_BYTES]
        mine = torch.zeros(_SENTENCE_BYTES, dtype=torch.uint8)
        mine[: len(encoded)] = torch.tensor(list(encoded), dtype=torch.uint8)
        found = [torch.zeros_like(mine) for _ in range(self.size)]
        with self.together():
            dist.all_gather(found, mine)
        return [bytes(each.tolist()).rstrip(b"\0").decode(errors="replace") for each in found]


def _meet(store: Store, rank: int, size: int) -> Store:
    """A namespace in torchrun's store for this start only.

    Decision: the first process makes up a name for it, and sends it in reply to names that the others make up.
    Background: after a restart by torchrun, processes find entries of the previous ones in its store and connect to
    addresses that no longer exist (pytorch/pytorch#135712). Alternatives: TORCHELASTIC_RESTART_COUNT, which can differ
    between machines.
    """
    name = uuid.uuid4().hex
    if rank:
        store.set(f"twinplay/here/{rank}", name)
        start = store.get(f"twinplay/start/{name}").decode()
        store.set(f"twinplay/met/{start}/{rank}", "")
        return PrefixStore(start, store)
    absent = set(range(1, size))
    while absent:
        absent = {other for other in absent if not store.check([f"twinplay/met/{name}/{other}"])}
        for other in absent:
            if store.check([f"twinplay/here/{other}"]):  # may be from a previous start; then nobody reads the reply
                store.set(f"twinplay/start/{store.get(f'twinplay/here/{other}').decode()}", name)
        time.sleep(_LOOK_S)
    return PrefixStore(name, store)


def join() -> ProcessGroup:
    """The group of processes that torchrun started, or this process alone. Raises TrainingError."""
    started = "LOCAL_WORLD_SIZE" in os.environ and int(os.environ["WORLD_SIZE"]) > 1
    return TorchrunGroup() if started else ProcessGroup()
