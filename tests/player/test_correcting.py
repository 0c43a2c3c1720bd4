"""A person corrects a twin on the Record page, without a window; the twin thinks in a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from player.coach.thinking import ThinkingClone
from player.coach.twins import twin_players
from recorder import RandomAgent, Session, get_spec, record
from recorder.agents.bindings import Bindings
from recorder.agents.shared_control import NO_PROPOSAL, Handover
from recorder.errors import UsageError
from recorder.library.forks import fork_at
from recorder.library.together import together_text
from recorder.library.verify import verify
from recorder.recording.companions import CorrectionStatus
from recorder.recording.partner import Company
from recorder.recording.play_on import play_on_from
from recorder.recording.presenter import RecordPresenter
from recorder.recording.remote_clone import RemoteClone
from recorder.recording.remote_twin import Twin
from recorder.recording.settings import UnsavedSettings
from recorder.recording.take_control import RecordState
from recorder.system.jobs import SharedRows
from tests.player.conftest import untrained
from tests.waiting import PATIENCE_S
from trainer.runs.policy_library import Policies

TICK_NS = 16_666_667
PAUSE_S = 0.06  # of real time after a tick, for the twin to answer in, also on busy cores
LEFT_KEY, FIRE_KEY, FIRE, LEFT = 1, 2, 1, 3


class Player:
    """Plays in a presenter whose clock stands still between ticks."""

    def __init__(self, library: Path) -> None:
        self.now = 0
        self.presenter = RecordPresenter(
            library,
            Bindings({LEFT_KEY: LEFT, FIRE_KEY: FIRE}, {LEFT_KEY: "Left", FIRE_KEY: "Space"}),
            settings=UnsavedSettings("Ada"),
            controllers=None,
            countdown_s=0,
            twins=twin_players(Policies(library)),
            now=lambda: self.now,
        )

    def correct(self) -> None:
        """Begin a take in which the twin is corrected."""
        partner = self.presenter.partner
        partner.choose(Company.CORRECT, partner.twins[0])
        self.until(lambda: not partner.getting_ready)
        self.presenter.start()

    def ticks(self, count: int, pause_s: float = 0.0) -> None:
        """Play ticks, and give the clone so much time after each."""
        for _ in range(count):
            self.now += TICK_NS
            self.presenter.poll()
            time.sleep(pause_s)

    def until(self, what: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not what():
            assert time.monotonic() < deadline
            self.presenter.poll()
            time.sleep(0.005)

    def expect_twin(self) -> None:
        """See to it that a twin, once it is chosen, is not ready at once."""
        if not self.presenter.partner.getting_ready:
            self.presenter.partner.leave()

    @property
    def correction(self) -> CorrectionStatus:
        assert self.presenter.status is not None
        found = self.presenter.status.companion
        assert isinstance(found, CorrectionStatus)
        return found

    def stop(self) -> Session:
        self.presenter.stop()
        assert self.presenter.finished.last_take is not None
        session = Session.open(self.presenter.finished.last_take)
        assert verify(session).ok
        return session


@contextlib.contextmanager
def opened(library: Path) -> Iterator[Player]:
    (library / "policies").mkdir()
    untrained("breakout", library / "policies" / "Ada's twin.safetensors")
    player = Player(library)
    yield player
    player.presenter.shutdown()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    with opened(tmp_path_factory.mktemp("correcting")) as player:
        yield player


@pytest.fixture
def player(shared: Player) -> Iterator[Player]:
    """Plays in the presenter of other tests, whose twin has loaded torch, or is to be replaced."""
    yield shared
    shared.presenter.controls.release(LEFT_KEY)
    shared.presenter.partner.set_hand_back(0.5)
    if shared.presenter.state is not RecordState.IDLE:
        shared.presenter.stop()


@pytest.fixture
def lonely(tmp_path: Path) -> Iterator[Player]:
    """Plays in a presenter of its own."""
    with opened(tmp_path) as player:
        yield player


def test_the_twin_plays_until_a_key_takes_over_in_the_very_tick_and_goes_on_after_it(player: Player) -> None:
    presenter, partner = player.presenter, player.presenter.partner
    (twin,) = partner.twins
    assert twin.title == "Ada's twin"
    player.expect_twin()
    partner.choose(Company.CORRECT, twin)
    partner.set_hand_back(0.25)
    assert partner.getting_ready
    presenter.start(wait=False)  # waits for the twin
    assert partner.awaited
    assert presenter.state is RecordState.IDLE
    player.until(lambda: presenter.state is RecordState.RECORDING)
    player.ticks(30, PAUSE_S)
    assert not player.correction.correcting
    presenter.controls.press(LEFT_KEY)
    player.ticks(1)
    assert player.correction.correcting  # in the next tick
    player.ticks(9)
    presenter.controls.release(LEFT_KEY)
    player.ticks(20, PAUSE_S)
    assert not player.correction.correcting
    assert (player.correction.taken_over, player.correction.corrected) == (1, 10 + 15 - 1)
    presenter.take.rewind()
    time.sleep(0.1)
    presenter.take.resume()
    player.ticks(10, PAUSE_S)
    session = player.stop()
    together = session.corrections
    assert together is not None
    assert together.hand_back_ticks == 15
    assert np.flatnonzero(together.handovers).tolist() == [30, 54]
    assert together.handovers[30] == Handover.KEY
    assert session.actions[30:40].tolist() == [LEFT] * 10
    assert np.array_equal(session.actions[~together.correcting], together.proposals[~together.correcting])
    assert (together.ages[1:30] <= 1).all()
    assert (together.ages[-9:] <= 1).all()
    assert together.ages[1:].max() < NO_PROPOSAL
    first, second = session.player["params"]["players"]
    assert (first["name"], second["title"]) == ("Ada", "Ada's twin")
    assert session.player["kind"] == "mixed"


def test_a_person_plays_on_when_the_twin_is_lost_which_is_there_again_for_the_next_take(player: Player) -> None:
    presenter, partner = player.presenter, player.presenter.partner
    player.correct()
    player.ticks(10, PAUSE_S)
    os.kill(partner.process, signal.SIGKILL)
    player.until(lambda: player.correction.lost)
    assert player.correction.lost == "the process ended unexpectedly (signal 9)"
    player.ticks(10)
    presenter.controls.press(LEFT_KEY)
    player.ticks(10)
    together = player.stop().corrections
    assert together is not None
    assert together.correcting.tolist() == [False] * 10 + [True] * 20
    assert together.handovers[10] == Handover.LOST
    player.until(lambda: not partner.getting_ready)
    presenter.start()
    player.ticks(5, 0.02)
    assert not player.correction.lost


def test_a_hung_twin_never_holds_up_a_tick_and_is_lost_in_the_end(player: Player) -> None:
    partner = player.presenter.partner
    player.correct()
    player.ticks(10, PAUSE_S)
    os.kill(partner.process, signal.SIGSTOP)
    try:
        began = time.monotonic()
        player.ticks(200)
        assert time.monotonic() - began < 200 / 60
        assert not player.correction.lost
        player.ticks(100)
        assert player.correction.lost == "it did not answer for 255 frames"
    finally:
        os.kill(partner.process, signal.SIGCONT)
    together = player.stop().corrections
    assert together is not None
    assert np.diff(together.ages[20:200].astype(int)).tolist() == [1] * 179


def test_a_policy_that_cannot_play_is_told_and_the_person_plays_alone(lonely: Player) -> None:
    presenter, partner = lonely.presenter, lonely.presenter.partner
    twin = partner.twins[0]
    twin.path.write_bytes(b"no policy")
    partner.choose(Company.CORRECT, twin)
    presenter.start(wait=False)
    lonely.until(lambda: partner.company is Company.ALONE)
    assert presenter.error.startswith("Ada's twin cannot play: ")
    assert presenter.error.endswith("Choose another twin, or play alone.")
    assert presenter.state is RecordState.IDLE
    presenter.start()
    lonely.ticks(3)
    assert lonely.stop().corrections is None


def test_waiting_for_a_twin_can_be_cancelled(lonely: Player) -> None:
    presenter, partner = lonely.presenter, lonely.presenter.partner
    partner.choose(Company.CORRECT, partner.twins[0])
    presenter.start(wait=False)
    presenter.stop(wait=False)
    lonely.until(lambda: not partner.getting_ready)
    assert presenter.state is RecordState.IDLE
    presenter.choose("hopper")  # which nobody plays by hand
    assert partner.twins == ()
    assert partner.company is Company.ALONE


def test_from_a_moment_of_a_game_the_twin_plays_on_and_is_corrected(player: Player) -> None:
    presenter, partner = player.presenter, player.presenter.partner
    parent = record("breakout", RandomAgent(get_spec("breakout"), 1), library=presenter.library, seconds=8, seed=3)
    (twin,) = partner.twins
    player.expect_twin()
    play_on_from(presenter, [fork_at(parent, 300)], policy=twin.path)
    assert (partner.company, partner.awaited) == (Company.CORRECT, True)
    player.until(lambda: presenter.state is RecordState.RECORDING)
    player.ticks(20, PAUSE_S)
    presenter.controls.press(LEFT_KEY)
    player.ticks(10)
    presenter.controls.release(LEFT_KEY)
    player.ticks(1)
    presenter.take.rewind()
    presenter.take.resume()
    player.ticks(5, 0.02)
    session = player.stop()
    lead_in = session.episodes[0]
    assert len(lead_in) == 300
    assert session.actions[:300].tolist() == parent.actions[:300].tolist()
    together = session.corrections
    assert together is not None
    assert np.flatnonzero(together.handovers)[0] == 320
    assert together.correcting[:320].sum() == 0
    assert together.correcting[320:330].all()
    assert np.array_equal(session.actions[~together.correcting], together.proposals[~together.correcting])
    assert set(together.ages[:300]) == {NO_PROPOSAL}
    assert together.ages[300:320].max() <= 3  # it has seen what came before, and plays from the first tick on
    assert session.attributes["forked_from"][0]["tick"] == 300
    assert session.to_learn(lead_in) == []
    assert together_text(session) == "Corrected once, for 0 s of 1 s"


def test_a_twin_that_hangs_while_a_moment_is_made_ready_is_lost(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.recording.remote_clone._PATIENCE_S", 0.2)
    presenter, partner = player.presenter, player.presenter.partner
    parent = record("breakout", RandomAgent(get_spec("breakout"), 1), library=presenter.library, seconds=4, seed=3)
    partner.choose(Company.CORRECT, partner.twins[0])
    player.until(lambda: not partner.getting_ready)
    os.kill(partner.process, signal.SIGSTOP)
    try:
        play_on_from(presenter, [fork_at(parent, 200)], policy=partner.twins[0].path)
        player.until(lambda: presenter.state is RecordState.RECORDING)
        assert player.correction.lost == "it did not answer for 0.2 seconds"
        player.ticks(5)
        assert len(player.stop()) == 205  # which the person played on
    finally:
        os.kill(partner.process, signal.SIGCONT)


def test_a_twin_that_cannot_be_corrected_from_a_moment_is_refused_and_waiting_can_be_cancelled(
    player: Player, tmp_path: Path
) -> None:
    presenter, partner = player.presenter, player.presenter.partner
    parent = record("breakout", RandomAgent(get_spec("breakout"), 1), library=presenter.library, seconds=4, seed=3)
    with pytest.raises(UsageError, match="other cannot be corrected here: it is not in this library"):
        play_on_from(presenter, [fork_at(parent, 100)], policy=tmp_path / "other.safetensors")
    player.expect_twin()
    play_on_from(presenter, [fork_at(parent, 100)], policy=partner.twins[0].path)
    presenter.stop(wait=False)
    assert not partner.awaited
    player.until(lambda: not partner.getting_ready)
    presenter.start()
    player.ticks(3)
    assert len(player.stop()) == 3  # a game of its own
    play_on_from(presenter, [fork_at(parent, 100)])
    assert partner.company is Company.ALONE


class Echo:
    """In the place of a twin's process: answers with what was played in the tick before."""

    def __init__(self, policy: str, observations: SharedRows, seed: int) -> None: ...

    def describe(self) -> dict[str, str]:
        return {"kind": "policy", "name": "echo"}

    def think(self, row: int, begins: bool, played: int | None = None) -> int:
        return FIRE if begins or played is None else played


def test_what_was_played_goes_to_the_process_of_the_twin(tmp_path: Path) -> None:
    spec = get_spec("breakout")
    remote = RemoteClone(Twin("Ada's twin", tmp_path / "twin.safetensors"), f"{__name__}:Echo", spec)
    answers = []
    for played in (LEFT, 0, LEFT):
        screen = np.zeros(spec.observation_shape, np.uint8)
        remote.see(screen)
        deadline = time.monotonic() + PATIENCE_S
        while remote.propose(screen)[1] != 0 and time.monotonic() < deadline:
            remote.poll(0.05)
        answers.append(remote.propose(screen)[0])
        remote.played(played)
    remote.close().join()
    assert answers == [FIRE, LEFT, 0]


def test_the_twin_in_its_process_learns_what_was_played_in_its_place(tmp_path: Path) -> None:
    spec = get_spec("breakout")
    policy = untrained("breakout", tmp_path / "twin.safetensors")
    rows = SharedRows(4, spec.observation_shape, spec.observation_dtype)
    twin = ThinkingClone(str(policy), rows, 0)
    chosen = [twin.think(0, tick == 0, LEFT) for tick in range(6)]
    assert list(twin._policy.chooser.done) == [LEFT] * 3 + chosen[-1:]
    assert twin.think(0, True) in range(4)
    assert list(twin._policy.chooser.done)[:3] == [0] * 3  # a game of which it has seen nothing
