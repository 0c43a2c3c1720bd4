"""What can be done from the moment that is shown: play on oneself, let the twin play on, practise."""

from __future__ import annotations

from msgspec.structs import replace

from player.watch.frames import Side
from player.watch.presenter import WatchPresenter
from recorder.envs.registry import get_spec, installed_spec, stored_spec
from recorder.envs.spec import EnvSpec
from recorder.library.forks import fork_of
from recorder.library.practice import PracticePoint, forks_of, practice_points
from recorder.play.fork import Fork, fork_of_play
from recorder.store.session import Session
from trainer.evaluation.agreement import choose_game
from trainer.evaluation.weak_spots import spots_of
from trainer.policy.header import read_header

PRACTICE_S = 8.0
_WEAK_SPOTS = 5


class FromHere:
    """Makes forks of the games that `presenter` shows. All raise TwinplayError where that cannot be."""

    def __init__(self, presenter: WatchPresenter) -> None:
        self._presenter = presenter

    @property
    def by_hand(self) -> bool:
        """Whether a person can play this environment."""
        spec = self._spec
        return spec is not None and get_spec(spec.name).playable

    @property
    def recorded(self) -> Side | None:
        """The recorded side, if its moment can be played on from."""
        frame = self._presenter.frame
        return _going_on(frame.left) if frame is not None and self._presenter.pair.session is not None else None

    @property
    def clone(self) -> Side | None:
        """The clone's side, if its moment can be played on from."""
        frame = self._presenter.frame
        return _going_on(frame.right) if frame is not None and not frame.behind else None

    def fork(self, side: Side) -> Fork:
        """The moment of one of the two sides above."""
        pair, frame = self._presenter.pair, self._presenter.frame
        assert frame is not None
        if side is frame.left and pair.session is not None:
            session = Session.open(pair.session)
            return fork_of(session, choose_game(session, pair.game), side.ticks)
        spec = self._spec
        assert spec is not None
        assert pair.policy is not None
        return fork_of_play(spec, frame.seed, side.actions, side.ticks, pair.policy.stem, varied=pair.session is None)

    def points(self) -> list[PracticePoint]:
        """The practice points of the recorded game, with the clearest disagreements of the clone, if compared."""
        pair = self._presenter.pair
        if pair.session is None:
            return []
        session = Session.open(pair.session)
        game = choose_game(session, pair.game)
        agreement = self._presenter.comparison.agreement
        spots = [] if agreement is None else spots_of(agreement, game, most=_WEAK_SPOTS)
        return [point for point in practice_points(session, more=spots) if point.game == game.number]

    def practice(self) -> list[Fork]:
        """The forks at these points."""
        assert self._presenter.pair.session is not None
        return forks_of(Session.open(self._presenter.pair.session), self.points())

    @property
    def _spec(self) -> EnvSpec | None:
        pair = self._presenter.pair
        if pair.session is not None:
            spec = Session.open(pair.session).spec
        elif pair.policy is not None:
            spec = stored_spec(read_header(pair.policy)["env"])
        else:
            return None
        return replace(spec, same_memory=installed_spec(spec).same_memory)


def _going_on(side: Side | None) -> Side | None:
    """The side, unless it is at the start of its game or past its end."""
    return side if side is not None and side.ticks >= 1 and not side.over else None
