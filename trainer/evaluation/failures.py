"""Where a clone fails: the last two seconds before each lost life, grouped by likeness.

    games from unseen starts ─▶ a lost life, a lost point, or a fall ─▶ pictures and features of the two seconds before
                             ─▶ groups of features (trainer.evaluation.clusters)

Features are the inputs of the network's last layer, one second and 0.25 seconds before the loss. The starts are those
of an evaluation with the same seed. Importing this module imports neither torch nor a simulator.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recorder.envs.spec import EnvSpec
from recorder.errors import UsageError
from recorder.play.fork import Fork, fork_of_play
from trainer.evaluation.clusters import grouped, middle_of

if TYPE_CHECKING:
    from recorder.envs.game import Game
    from recorder.play.rollout import Rollout

BEFORE_S = 2.0
PICTURES_HZ = 10.0
_LOOKS_S = (1.0, 0.25)  # before the loss: when features are taken
_REPORT_TICKS = 200
_MOST = 200  # failures that are kept


@dataclass(frozen=True)
class Failure:
    """A loss after `tick` actions of the game of `seed`, in which `actions` (T,) or (T, m) were taken until then.

    `pictures` are RGB, uint8 (n, height, width, 3), of the last two seconds; `group` counts from 0, the largest first.
    """

    seed: int
    tick: int
    why: str
    score: float
    actions: npt.NDArray[Any] = field(repr=False)
    pictures: npt.NDArray[np.uint8] = field(repr=False)
    features: npt.NDArray[np.float32] = field(repr=False)
    group: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, without the pictures."""
        return {"group": self.group + 1, "seed": self.seed, "tick": self.tick, "why": self.why, "score": self.score}


@dataclass(frozen=True)
class Gallery:
    """The failures of a policy, in the order in which they happened, and in each group the most typical one.

    `silhouette` tells how distinct the groups are, up to 1; it is 0 for a single group.
    """

    policy: str
    spec: EnvSpec
    games: int
    failures: tuple[Failure, ...]
    typical: tuple[Failure, ...]
    silhouette: float

    def group(self, number: int) -> tuple[Failure, ...]:
        """The failures of a group, from 0."""
        return tuple(each for each in self.failures if each.group == number)

    def fork(self, failure: Failure, before_s: float = BEFORE_S) -> Fork:
        """The moment so many seconds before a failure, to be played on from."""
        tick = max(1, failure.tick - round(before_s * self.spec.rate_hz))
        return fork_of_play(self.spec, failure.seed, failure.actions, tick, Path(self.policy).stem, varied=True)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, without the pictures."""
        failures = [each.to_json() for each in self.failures]
        return {"policy": self.policy, "games": self.games, "silhouette": self.silhouette, "failures": failures}


@dataclass(frozen=True)
class FailuresProgress:
    """Games played, of all, and failures found; the last record has the gallery."""

    done: int
    total: int
    found: int
    gallery: Gallery | None = None


def finding_failures(
    policy: Path | str, *, episodes: int = 10, seed: int = 0, alike: bool = False
) -> Iterator[FailuresProgress]:
    """Let a policy play `episodes` games, and group its failures. Raises PolicyError and UsageError."""
    if episodes < 1:
        raise UsageError(f"{episodes} episodes are nothing to play; give at least 1")
    import torch

    from recorder.envs.game import Game
    from recorder.play.rollout import Rollout
    from trainer.evaluation.table import evaluation_seed
    from trainer.policy.features import noting_features
    from trainer.policy.policy import Policy

    torch.set_num_threads(1)
    clone = Policy.load(policy, seed=seed, alike=alike)
    spec = clone.spec
    found: list[Failure] = []
    yield FailuresProgress(0, episodes, 0)
    with (
        Game(spec, render=spec.drawn_live) as game,
        _Camera(spec, game) as camera,
        noting_features(clone) as features,
    ):
        rollout = Rollout(game, clone, varied=True)
        for number in range(episodes):
            rollout.begin(evaluation_seed(seed, number))
            clip = _Clip(spec, camera)
            for failure in _failures_of(rollout, clip, features):
                if failure is not None:
                    found.append(failure)
                yield FailuresProgress(number, episodes, len(found))
                if len(found) >= _MOST:
                    break
            rollout.end()
            yield FailuresProgress(number + 1, episodes, len(found))
    yield FailuresProgress(episodes, episodes, len(found), _gallery(str(policy), game.spec, episodes, found))


def _failures_of(rollout: Rollout, clip: _Clip, features: Any) -> Iterator[Failure | None]:
    """The failures of one game; now and then yields None."""
    from recorder.play.rollout import Phase

    spec = rollout.game.spec
    actions: list[Any] = []
    while rollout.phase is Phase.PLAYING:
        lives = rollout.lives
        clip.take(rollout.ticks)
        step = rollout.tick()
        actions.append(step.action)
        clip.note(features.value)
        lost = step.lives < lives if spec.lives else step.terminated or step.reward < 0
        if lost:
            what = "lost life" if spec.lives else "lost point" if step.reward < 0 and spec.points else "end of the game"
            taken = np.array(actions, spec.action_dtype).reshape(-1, *spec.action_shape)
            pictures, seen = clip.developed()
            yield Failure(rollout.episode_seed, rollout.ticks, what, rollout.score, taken, pictures, seen)
            clip.clear()
        elif rollout.ticks % _REPORT_TICKS == 0:
            yield None


class _Camera:
    """Takes pictures of a game; what is drawn from its state is drawn later, by another simulator."""

    def __init__(self, spec: EnvSpec, game: Game) -> None:
        from recorder.envs.game import Game

        self._game = game
        self._stage = Game(spec, render=True) if spec.drawn_from_state else None

    def __enter__(self) -> _Camera:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._stage is not None:
            self._stage.close()

    def take(self) -> Any:
        return self._game.picture() if self._stage is None else self._game.state()

    def develop(self, taken: Any) -> npt.NDArray[np.uint8]:
        if self._stage is None:
            return np.asarray(taken, np.uint8)
        self._stage.restore(taken)
        return self._stage.picture()


class _Clip:
    """The last two seconds of a game: pictures, and the features of every tick."""

    def __init__(self, spec: EnvSpec, camera: _Camera) -> None:
        self._camera = camera
        self._every = max(1, round(spec.rate_hz / PICTURES_HZ))
        self._looks = [round(look * spec.rate_hz) for look in _LOOKS_S]
        self._taken: deque[Any] = deque(maxlen=max(1, round(BEFORE_S * PICTURES_HZ)))
        self._features: deque[npt.NDArray[np.float32]] = deque(maxlen=max(1, *self._looks))

    def take(self, tick: int) -> None:
        if tick % self._every == 0:
            self._taken.append(self._camera.take())

    def note(self, features: npt.NDArray[np.float32]) -> None:
        self._features.append(features)

    def developed(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """The pictures, and the features at each look; of a shorter life those of its first tick."""
        pictures = np.stack([self._camera.develop(each) for each in (*self._taken, self._camera.take())])
        return pictures, np.concatenate([self._features[max(0, len(self._features) - look)] for look in self._looks])

    def clear(self) -> None:
        """A new life begins."""
        self._taken.clear()
        self._features.clear()


def _gallery(policy: str, spec: EnvSpec, games: int, found: list[Failure]) -> Gallery:
    if not found:
        return Gallery(policy, spec, games, (), (), 0.0)
    points = np.stack([each.features for each in found]).astype(np.float64)
    labels, silhouette = grouped(points)
    failures = tuple(replace(each, group=int(label)) for each, label in zip(found, labels, strict=True))
    typical = tuple(failures[middle_of(points, labels, group)] for group in range(int(labels.max()) + 1))
    return Gallery(policy, spec, games, failures, typical, silhouette)
