"""Compares a clone's actions with the demonstrator's, at every tick of a recorded game.

    recorded screens ──the last few of them, as in play───▶ network ──▶ the clone's action ──┐
    recorded actions ────────────────────────────────────────────────────────────────────────┴─▶ agree or not

The comparison is teacher-forced: at every tick the clone sees the recorded past, whatever it would have done itself. A
clone that plays without its demonstrator's reaction time (TrainConfig.label_shifts) is shown what the demonstrator
reacted to, as in its training: the field of some ticks ago, with the current paddle. Importing this module imports
neither torch nor OpenCV, so that the window can read results that a worker computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recorder.envs.spec import EnvSpec
from recorder.errors import UsageError
from recorder.store.episode_table import RecordedGame
from recorder.store.places import Place
from recorder.store.schema import CHUNK_TICKS
from recorder.store.session import Session
from trainer.errors import PolicyError

if TYPE_CHECKING:
    from trainer.policy.policy import Policy

_SLICE_TICKS = 4 * CHUNK_TICKS  # between two progress records: a fifth of a second on one core
_BRIEF_S = 0.1  # nobody times a key press better than this, so shorter differences and agreements mean nothing
_APART = 0.5  # continuous actions, from -1 to 1, that differ by more than this disagree


@dataclass(frozen=True)
class Disagreement:
    """Ticks [start, stop) of a game in which the clone would have acted differently.

    `tick` is where it was surest; `recorded` and `clone` are the two actions there. `sure` is the probability that the
    network gave to the clone's action; for continuous ones, the difference of the two as a share of the whole range.
    """

    start: int
    stop: int
    tick: int
    recorded: str
    clone: str
    sure: float


@dataclass(frozen=True)
class Agreement:
    """The recorded actions and the clone's actions in a game of T ticks.

    `recorded` and `clone` are int64 (T,), or float32 (T, m) in [-1, 1]. The clone's action is the most likely one in
    the way in which it plays. `sure` is float32 (T,): the probability that the network gave to it; for continuous
    actions, the largest difference as a share of the range. `names` are those of the actions.
    """

    recorded: npt.NDArray[Any]
    clone: npt.NDArray[Any]
    sure: npt.NDArray[np.float32]
    names: tuple[str, ...]
    rate_hz: float

    def __post_init__(self) -> None:
        if self.recorded.shape != self.clone.shape or len(self.sure) != len(self.clone):
            raise ValueError(f"{self.recorded.shape} recorded, {self.clone.shape} of the clone, {len(self.sure)} sure")

    def __len__(self) -> int:
        return len(self.recorded)

    @property
    def discrete(self) -> bool:
        """True if actions are one of `names`, False if they are vectors."""
        return self.recorded.ndim == 1

    @cached_property
    def differs(self) -> npt.NDArray[np.bool_]:
        """(T,): where the two disagree; for continuous actions, where any is more than 0.5 apart."""
        if self.discrete:
            return np.asarray(self.recorded != self.clone)
        return np.asarray(np.abs(self.recorded - self.clone).max(axis=1) > _APART)

    @property
    def share(self) -> float:
        """The share of ticks at which they agree, from 0 to 1."""
        return float(1 - self.differs.mean())

    @property
    def mean_difference(self) -> tuple[float, ...]:
        """The mean absolute difference of each continuous action; empty for discrete actions."""
        if self.discrete:
            return ()
        return tuple(np.abs(self.recorded - self.clone).mean(axis=0).tolist())

    @property
    def headline(self) -> str:
        """A short text: the share that agrees, or the mean difference of continuous actions."""
        if self.discrete:
            return f"{100 * self.share:.0f} % agree"
        return f"{float(np.mean(self.mean_difference)):.3f} apart"

    @cached_property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """In order of time; those less than a tenth of a second apart are merged."""
        edges = np.flatnonzero(np.diff(np.concatenate([[False], self.differs, [False]])))
        spans: list[list[int]] = []
        for start, stop in edges.reshape(-1, 2).tolist():
            if spans and start - spans[-1][1] < _BRIEF_S * self.rate_hz:
                spans[-1][1] = stop
            else:
                spans.append([start, stop])
        return tuple(self._describe(start, stop) for start, stop in spans)

    @property
    def clearest(self) -> tuple[Disagreement, ...]:
        """The disagreements, the surest first; those shorter than a tenth of a second come last."""
        brief = _BRIEF_S * self.rate_hz
        return tuple(sorted(self.disagreements, key=lambda each: (each.stop - each.start < brief, -each.sure)))

    def _describe(self, start: int, stop: int) -> Disagreement:
        weights = np.where(self.differs[start:stop], self.sure[start:stop], -1.0)
        tick = start + int(weights.argmax())
        if self.discrete:
            recorded, clone = (self.names[int(actions[tick])] for actions in (self.recorded, self.clone))
        else:
            widest = int(np.abs(self.recorded[tick] - self.clone[tick]).argmax())
            recorded, clone = (
                f"{self.names[widest]} {actions[tick][widest]:+.2f}" for actions in (self.recorded, self.clone)
            )
        return Disagreement(start, stop, tick, recorded, clone, float(self.sure[tick]))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, with the clearest disagreements first."""
        return {
            "ticks": len(self),
            "share": self.share,
            "mean_difference": dict(zip(self.names, self.mean_difference, strict=False)),
            "disagreements": [vars(each) for each in self.clearest],
        }


@dataclass(frozen=True)
class Comparison:
    """The number of ticks compared, out of all; the last record has the agreement."""

    done: int
    total: int
    agreement: Agreement | None = None


def comparing(
    session: Session | Place | str, policy: Policy | Path | str, *, game: int | None = None
) -> Iterator[Comparison]:
    """Compare a clone with a recorded game: `game` is its number, from 1 (None: the best one).

    The policy's own memory and randomness stay as they are. Raises SessionError, PolicyError, and UsageError for a
    game that does not exist.
    """
    if not isinstance(session, Session):
        session = Session.open(session)
    if isinstance(policy, (str, Path)):
        from trainer.policy.policy import Policy  # imports torch

        name, policy = str(policy), Policy.load(policy)
    else:
        name = f"the policy {policy.name}"
    refuse_mismatch(session, policy.spec, name)
    chosen = choose_game(session, game)
    yield Comparison(0, chosen.ticks)
    outputs: list[npt.NDArray[np.float32]] = []
    done = 0
    for inputs in _inputs(session, chosen, policy):
        outputs.append(policy.outputs(inputs))
        done += len(inputs)
        yield Comparison(done, chosen.ticks)
    answers = np.concatenate(outputs)
    spec = session.spec
    if spec.discrete:
        recorded: npt.NDArray[Any] = session.actions[chosen.line_ticks].astype(np.int64)
        clone = policy.selection.probabilities(answers).argmax(axis=1)
        sure = np.take_along_axis(policy.belief(answers), clone[:, None], axis=1)[:, 0]
    else:
        recorded = session.actions[chosen.line_ticks].astype(np.float32)
        clone = np.clip(answers, -1.0, 1.0)
        sure = np.abs(recorded - clone).max(axis=1) / 2
    found = Agreement(recorded, clone, sure.astype(np.float32), spec.action_names, spec.rate_hz)
    yield Comparison(chosen.ticks, chosen.ticks, found)


def compare(session: Session | Place | str, policy: Policy | Path | str, *, game: int | None = None) -> Agreement:
    """The agreement of a clone with a recorded game; see `comparing`."""
    *_, last = comparing(session, policy, game=game)
    assert last.agreement is not None
    return last.agreement


def _inputs(session: Session, game: RecordedGame, policy: Policy) -> Iterator[npt.NDArray[Any]]:
    """The network's inputs for the ticks of a game, in order, some at a time.

    Vectors come in one block: a recurrent network takes a game as one sequence.
    """
    delay = policy.config.shift_of(policy.selection.output)
    if not session.spec.sees_screen:
        vectors = np.concatenate([session.vectors(each.start, each.stop) for each in game.line]).astype(np.float32)
        yield vectors[np.maximum(np.arange(game.ticks) - delay, 0)]
        return
    from trainer.policy.preprocess import Preprocess

    preprocess = Preprocess.of(policy.config)
    ages = np.asarray(policy.config.history)
    before: npt.NDArray[Any] | None = None
    last: npt.NDArray[np.uint8] | None = None
    context: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
    parts = [
        range(start, min(start + _SLICE_TICKS, episode.stop))
        for episode in game.line
        for start in range(episode.start, episode.stop, _SLICE_TICKS)
    ]
    for part in parts:
        screens = session.screens(part.start, part.stop)
        grey = preprocess.from_stored(screens, session.palette)
        pooled = preprocess.pool(grey, last)
        new = policy.looked_at(pooled, context)
        last, context = grey, pooled
        seen = new if before is None else np.concatenate([before, new])
        rows = np.arange(len(seen) - len(new), len(seen))[:, None] - ages
        inputs = seen[np.maximum(rows - delay, 0)]  # before the game began, its first screen is used
        if delay:
            policy.keep_own(inputs, seen[np.maximum(rows, 0)])
        yield inputs
        before = seen[max(0, len(seen) - policy.reach - delay) :]


def choose_game(session: Session, number: int | None) -> RecordedGame:
    """A recorded game by its number, from 1, or the best one. Raises UsageError."""
    if not session.recorded_games:
        raise UsageError(f"{session.place} holds no game to watch; record a longer session")
    if number is None:
        return max(session.recorded_games, key=lambda game: game.score)
    return session.game(number)


def refuse_mismatch(session: Session, spec: EnvSpec, name: str) -> None:
    """Raise PolicyError if `name`, a policy for `spec`, is for another environment than the session's."""
    if spec.name != session.spec.name:
        raise PolicyError(
            f"{name} plays {spec.title}, but {session.place} is a session of {session.spec.title}; "
            "choose two of the same environment"
        )
