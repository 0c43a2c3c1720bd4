"""Stretches of ticks that are unlike the rest: nothing pressed, a key stuck, the clock late.

How long a player holds a key or waits is a habit, so a stretch is compared with the player's own: by the modified
z-score, with the median and the median absolute deviation (MAD), of the logarithm of its length. 3.5 is the limit that
B. Iglewicz and D. C. Hoaglin (How to Detect and Handle Outliers, 1993) recommend. A least length keeps habits that are
very regular from making an alarm of a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recorder.envs.spec import EnvSpec
from recorder.library.findings import Finding, game_at, largest, seconds_text
from recorder.play.clock import LATE_NS
from recorder.store.episode_table import RecordedGame
from recorder.store.session import Session

FAR = 3.5  # modified z-score
IDLE_S, STUCK_S = 10.0, 10.0  # shorter stretches are never told
GRAVE_S = 20.0
FEW = 10  # so many stretches are needed to speak of a habit
FEW_IDLE_S = 30.0  # without a habit: nobody plans for so long without a key
UNRELEASED_S = 5.0  # ticks that a key stays down though its release was never seen
HABIT_S = 0.3  # shorter waits are the gaps between two presses
LATE_GAP_S, LATE_TICKS = 0.5, 10  # late ticks are one cluster if they are that close, and told if they are so many
MOST_CLUSTERS = 5
MAD_TO_SD = 0.6745  # the MAD of a normal distribution with standard deviation 1
NARROWEST = 0.1  # of a median: a habit is never taken to be more regular than that
_CODES = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)


@dataclass(frozen=True)
class Holds:
    """Stretches of the same action, in order: ticks [start, stop) of the session, and the action's code."""

    start: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]
    code: npt.NDArray[np.uint64]

    @property
    def ticks(self) -> npt.NDArray[np.int64]:
        """How long each is."""
        return self.stop - self.start

    def within(self, game: RecordedGame) -> npt.NDArray[np.bool_]:
        """Which of them a game consists of."""
        inside = np.zeros(len(self.start), np.bool_)
        for episode in game.line:
            inside |= (self.start >= episode.start) & (self.stop <= episode.stop)
        return inside


def action_codes(session: Session) -> npt.NDArray[np.uint64]:
    """A number for each tick's action, (T,): the action's index, or a hash of a vector; 0 for a vector of zeros."""
    if session.spec.discrete:
        return session.actions.astype(np.uint64)
    near = np.clip(np.nan_to_num(session.actions), -1.0, 1.0)
    rows = np.round(near * 1e4).astype(np.int64).astype(np.uint64)
    weights = np.resize(_CODES, rows.shape[1]) * np.arange(1, 2 * rows.shape[1], 2, dtype=np.uint64)
    return np.asarray((rows * weights).sum(axis=1, dtype=np.uint64))


def holds_of(session: Session) -> Holds:
    """The stretches of the same action in the games of a session; what was undone by a rewind is left away."""
    codes = action_codes(session)
    lines = [episode for game in session.recorded_games for episode in game.line]
    starts, stops = [], []
    for episode in lines:
        changes = np.flatnonzero(codes[episode.start + 1 : episode.stop] != codes[episode.start : episode.stop - 1])
        edges = np.concatenate([[episode.start], changes + episode.start + 1, [episode.stop]])
        starts.append(edges[:-1])
        stops.append(edges[1:])
    empty = np.zeros(0, np.int64)
    start, stop = np.concatenate([empty, *starts]), np.concatenate([empty, *stops])
    return Holds(start, stop, codes[start])


def rest_code(spec: EnvSpec) -> int | None:
    """The code of doing nothing; None in an environment where a player always does something."""
    if not spec.discrete:
        return 0
    if "NOOP" in spec.action_names:
        return spec.action_names.index("NOOP")
    made = {*spec.controls, *spec.chords}
    rest = [index for index, name in enumerate(spec.action_names) if name not in made]
    return rest[0] if spec.playable and len(rest) == 1 else None


def far_above(lengths: npt.NDArray[np.int64], habit: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which of these lengths are far above those of `habit`; see the module's docstring."""
    usual = np.log(habit)
    median = np.median(usual)
    spread = max(float(np.median(np.abs(usual - median))), NARROWEST)
    return np.asarray(MAD_TO_SD * (np.log(lengths) - median) / spread > FAR)


def idle(session: Session, holds: Holds, earlier: Sequence[Holds]) -> Iterator[Finding]:
    """Stretches in which nothing was pressed, though there is play; a wait for a serve is compared with such waits."""
    rest, rate, serve = rest_code(session.spec), session.spec.rate_hz, session.spec.serve_index
    if rest is None or not len(holds.start):
        return
    inputs = np.searchsorted(session.time_ns, session.keys["time_ns"]) if len(session.keys) else np.zeros(0, np.int64)
    for serving in (False, True) if serve is not None else (False,):
        mine, *others = [_waits(each, rest, serve, serving) for each in (holds, *earlier)]
        habit = np.concatenate([each.ticks for each in (mine, *others)])
        habit = habit[habit >= HABIT_S * rate]
        least = (IDLE_S if len(habit) >= FEW else FEW_IDLE_S) * rate
        for start, stop in zip(mine.start[mine.ticks >= least], mine.stop[mine.ticks >= least], strict=True):
            quiet = _longest_quiet(start, stop, inputs)
            unusual = len(habit) < FEW or far_above(np.array([len(quiet)]), habit)[0]
            if len(quiet) >= least and unusual:
                lasted = len(quiet) / rate
                before = " before the serve" if serving else ""
                text = f"Nothing was pressed for {seconds_text(lasted)}{before}."
                game = game_at(session.recorded_games, quiet.start)
                yield Finding("idle", game, quiet.start, quiet.stop, text, lasted >= GRAVE_S)


def _longest_quiet(start: int, stop: int, inputs: npt.NDArray[np.int64]) -> range:
    """The longest part of ticks [start, stop) without input: keys that do nothing here show that somebody is there."""
    between = inputs[np.searchsorted(inputs, start, side="right") : np.searchsorted(inputs, stop)]
    edges = [int(start), *between.tolist(), int(stop)]
    return max((range(*pair) for pair in pairwise(edges)), key=len)


def _waits(holds: Holds, rest: int, serve: int | None, serving: bool) -> Holds:
    """The waits that end with a serve, or the others."""
    ends_in_serve = np.zeros(len(holds.code), np.bool_)
    if serve is not None and len(holds.code):
        ends_in_serve[:-1] = (holds.code[1:] == serve) & (holds.start[1:] == holds.stop[:-1])
    chosen = (holds.code == rest) & (ends_in_serve == serving)
    return Holds(holds.start[chosen], holds.stop[chosen], holds.code[chosen])


def stuck(session: Session, holds: Holds, earlier: Sequence[Holds]) -> Iterator[Finding]:
    """Keys that stay down far longer than the player holds any, and those whose release was never seen."""
    rest, rate, names = rest_code(session.spec), session.spec.rate_hz, session.spec.action_names
    told: list[range] = []
    for start, stop, name in _unreleased(session):
        text = f"{name} stayed down for {seconds_text((stop - start) / rate)}; its release was never seen."
        told.append(range(start, stop))
        yield Finding("stuck key", game_at(session.recorded_games, start), start, stop, text, True)
    pressed = [each.ticks[each.code != rest] if rest is not None else each.ticks for each in (holds, *earlier)]
    habit = np.concatenate(pressed)
    if len(habit) < FEW:
        return
    long = (holds.ticks >= STUCK_S * rate) & far_above(holds.ticks, habit)
    if rest is not None:
        long &= holds.code != rest
    for index in np.flatnonzero(long).tolist():
        start, stop = int(holds.start[index]), int(holds.stop[index])
        if any(start < each.stop and each.start < stop for each in told):
            continue
        lasted = (stop - start) / rate
        action = int(holds.code[index])
        what = names[action] if session.spec.discrete and action < len(names) else "The same action"
        usual = seconds_text(float(np.median(habit)) / rate)
        text = f"{what} was held for {seconds_text(lasted)}, usually {usual}."
        yield Finding("stuck key", game_at(session.recorded_games, start), start, stop, text, lasted >= GRAVE_S)


def _unreleased(session: Session) -> Iterator[tuple[int, int, str]]:
    """Ticks [start, stop) of a game for which a key that plays was down without a release, and its name."""
    keys, games = session.keys, session.recorded_games
    for code in np.unique(keys["code"]).tolist():
        events = keys[keys["code"] == code]
        at = np.append(np.searchsorted(session.time_ns, events["time_ns"]), len(session))
        again = np.append(events["down"][1:], True)  # pressed again, or the recording ended
        for index in np.flatnonzero(events["down"] & again).tolist():
            start = int(at[index])
            end = next((game.stop for game in games if start in game), start)  # a new game begins with no key down
            stop = min(int(at[index + 1]), end)
            if stop - start >= UNRELEASED_S * session.spec.rate_hz:
                yield start, stop, session.key_names.get(code, "A key")


def late(session: Session) -> Iterator[Finding]:
    """Clusters of ticks that came more than 8 ms late, the largest ones."""
    lateness = session.time_ns - session.due_ns
    ticks = np.flatnonzero((lateness > LATE_NS) & (session.speed > 0))
    clusters = np.split(ticks, np.flatnonzero(np.diff(ticks) > LATE_GAP_S * session.spec.rate_hz) + 1)
    for cluster in largest((each for each in clusters if len(each) >= LATE_TICKS), len, MOST_CLUSTERS):
        start, stop = int(cluster[0]), int(cluster[-1]) + 1
        worst = float(lateness[cluster].max()) / 1e6
        lasted = seconds_text((stop - start) / session.spec.rate_hz)
        text = f"{len(cluster):,} ticks in {lasted} came late, the latest by {worst:.0f} ms."
        yield Finding("late ticks", game_at(session.recorded_games, start), start, stop, text)
