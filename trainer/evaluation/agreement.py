"""What a clone would have done in the demonstrator's place, at every tick of a recorded game.

    recorded screens ──the last few of them, as at play──▶ network ──▶ the clone's action ──┐
    recorded actions ───────────────────────────────────────────────────────────────────────┴─▶ agree or not

The clone is taught by force: at every tick it sees what was recorded up to there, whatever it would have done before.
A clone that plays without its demonstrator's reaction time (TrainConfig.label_shifts) is shown what the demonstrator
answered to: the field of so many ticks ago, and its own paddle as it is, as in its training. Importing this module
imports neither torch nor OpenCV: the window reads what a worker found.
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
from recorder.store.places import Place
from recorder.store.schema import CHUNK_TICKS, Episode
from recorder.store.session import Session
from trainer.errors import PolicyError

if TYPE_CHECKING:
    from trainer.policy.policy import Policy

_SLICE_TICKS = 4 * CHUNK_TICKS  # between two progress records: a fifth of a second on one core
_BRIEF_S = 0.1  # nobody presses a key more exactly than that; shorter differences, and agreements, are no news
_APART = 0.5  # torques, from -1 to 1, that differ by more than this disagree


@dataclass(frozen=True)
class Disagreement:
    """Ticks [start, stop) of a game in which the clone would have done something else.

    `tick` is where it was surest; `recorded` and `clone` say what each did there. `sure` is the probability that the
    network gave its own action, or, for torques, how far apart the two were, in shares of the whole range.
    """

    start: int
    stop: int
    tick: int
    recorded: str
    clone: str
    sure: float


@dataclass(frozen=True)
class Agreement:
    """A game of T ticks, and what the clone would have done at each.

    `recorded` and `clone` are int64 (T,), or float32 (T, m) in [-1, 1]. The clone's action is its likeliest one in the
    manner it plays in. `sure` is float32 (T,): the probability that the network gave it, or, for torques, the largest
    difference over the range. `names` are those of actions, or of torques.
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
        """True where actions are one of `names`, False where they are vectors of torques."""
        return self.recorded.ndim == 1

    @cached_property
    def differs(self) -> npt.NDArray[np.bool_]:
        """(T,): where the two disagree; torques, where one is more than 0.5 apart."""
        if self.discrete:
            return np.asarray(self.recorded != self.clone)
        return np.asarray(np.abs(self.recorded - self.clone).max(axis=1) > _APART)

    @property
    def share(self) -> float:
        """The share of ticks at which they agree, from 0 to 1."""
        return float(1 - self.differs.mean())

    @property
    def mean_difference(self) -> tuple[float, ...]:
        """The mean absolute difference of each torque; nothing for discrete actions."""
        if self.discrete:
            return ()
        return tuple(np.abs(self.recorded - self.clone).mean(axis=0).tolist())

    @property
    def headline(self) -> str:
        """In a few words: the share that agrees, or how far apart torques are on average."""
        if self.discrete:
            return f"{100 * self.share:.0f} % agree"
        return f"{float(np.mean(self.mean_difference)):.3f} apart"

    @cached_property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """In the order of time; those less than a tenth of a second apart are one."""
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
        """The disagreements, the surest first; those of less than a tenth of a second come last."""
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
        """As plain JSON values, the disagreements with the clearest first."""
        return {
            "ticks": len(self),
            "share": self.share,
            "mean_difference": dict(zip(self.names, self.mean_difference, strict=False)),
            "disagreements": [vars(each) for each in self.clearest],
        }


@dataclass(frozen=True)
class Comparison:
    """Ticks compared of all; the last one has the agreement."""

    done: int
    total: int
    agreement: Agreement | None = None


def comparing(
    session: Session | Place | str, policy: Policy | Path | str, *, episode: int | None = None
) -> Iterator[Comparison]:
    """Compare a clone with a recorded game: `episode` is an index into `session.episodes` (None: the best game).

    The policy's own memory and randomness stay as they are. Raises SessionError, PolicyError, and UsageError for an
    episode that does not exist.
    """
    if not isinstance(session, Session):
        session = Session.open(session)
    if isinstance(policy, (str, Path)):
        from trainer.policy.policy import Policy  # torch comes with it

        name, policy = str(policy), Policy.load(policy)
    else:
        name = f"the policy {policy.name}"
    refuse_mismatch(session, policy.spec, name)
    game = choose_game(session, episode)
    yield Comparison(0, len(game))
    outputs: list[npt.NDArray[np.float32]] = []
    done = 0
    for inputs in _inputs(session, game, policy):
        outputs.append(policy.outputs(inputs))
        done += len(inputs)
        yield Comparison(done, len(game))
    answers = np.concatenate(outputs)
    spec = session.spec
    if spec.discrete:
        recorded: npt.NDArray[Any] = session.actions[game.start : game.stop].astype(np.int64)
        clone = policy.manner.probabilities(answers).argmax(axis=1)
        sure = np.take_along_axis(policy.belief(answers), clone[:, None], axis=1)[:, 0]
    else:
        recorded = session.actions[game.start : game.stop].astype(np.float32)
        clone = np.clip(answers, -1.0, 1.0)
        sure = np.abs(recorded - clone).max(axis=1) / 2
    found = Agreement(recorded, clone, sure.astype(np.float32), spec.action_names, spec.rate_hz)
    yield Comparison(len(game), len(game), found)


def compare(session: Session | Place | str, policy: Policy | Path | str, *, episode: int | None = None) -> Agreement:
    """The agreement of a clone with a recorded game; see `comparing`."""
    *_, last = comparing(session, policy, episode=episode)
    assert last.agreement is not None
    return last.agreement


def _inputs(session: Session, game: Episode, policy: Policy) -> Iterator[npt.NDArray[Any]]:
    """The network's inputs for the ticks of a game, in order, some at a time.

    Vectors come all at once: a network with a memory takes a game as one sequence.
    """
    delay = policy.config.shift_of(policy.manner.output)
    if not session.spec.sees_screen:
        vectors = np.asarray(session.observations[game.start : game.stop], np.float32)
        yield vectors[np.maximum(np.arange(len(game)) - delay, 0)]
        return
    from trainer.policy.preprocess import Preprocess

    preprocess = Preprocess.of(policy.config)
    ages = np.asarray(policy.config.history)
    before: npt.NDArray[Any] | None = None
    context: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
    for start in range(game.start, game.stop, _SLICE_TICKS):
        screens = session.screens(start, min(start + _SLICE_TICKS, game.stop))
        grey = preprocess.from_indices(screens, session.palette)
        new = policy.looked_at(grey, context)
        context = grey
        seen = new if before is None else np.concatenate([before, new])
        rows = np.arange(len(seen) - len(new), len(seen))[:, None] - ages
        inputs = seen[np.maximum(rows - delay, 0)]  # before the game began there was its first screen
        if delay:
            policy.keep_own(inputs, seen[np.maximum(rows, 0)])
        yield inputs
        before = seen[max(0, len(seen) - policy.reach - delay) :]


def choose_game(session: Session, index: int | None) -> Episode:
    """An episode that begins with a game's start, by its index, or the best one. Raises UsageError."""
    games = session.openings
    if not games:
        raise UsageError(f"{session.place} has no episode to watch; record a longer session")
    if index is None:
        return max(games, key=lambda game: game.total_reward)
    for game in games:
        if game.index == index:
            return game
    raise UsageError(f"{session.place} has no episode {index}; choose one from 0 to {games[-1].index}")


def refuse_mismatch(session: Session, spec: EnvSpec, name: str) -> None:
    """Raise PolicyError where `name`, a policy of `spec`, plays another environment than a session's."""
    if spec.name != session.spec.name:
        raise PolicyError(
            f"{name} plays {spec.title}, but {session.place} is a session of {session.spec.title}; "
            "choose two of the same environment"
        )
