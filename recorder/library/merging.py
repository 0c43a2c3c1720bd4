"""New sessions from recorded ones: several joined into one, or one split in two.

    merge   a: ░░░░│░░   b: ▒▒▒│▒   ──▶   ░░░░│░░│▒▒▒│▒        in the order they were played
    split   a: ░░░│░░│░  at episode 1 ──▶   ░░░   and   ░░│░

Every tick, key, final observation, label and seed is copied unchanged, so that the new sessions pass verification. The
segments before and after a rewind stay together. The times of a merged session are by the clock of its first part; the
times of the others are converted. The originals are not changed. How soon keys showed (`latency`) was measured during a
whole take and is not in its arrays, so the new sessions have none.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from recorder.envs.game import Game
from recorder.envs.registry import installed_spec, other_simulator
from recorder.errors import LibraryError, SessionError, UsageError
from recorder.library.edits import merge_spans
from recorder.library.lineage import origins_of, origins_within
from recorder.library.names import default_name
from recorder.library.replay import replay_to
from recorder.store.annotations import MAX_NOTES, MAX_TAGS, MAX_TITLE
from recorder.store.corrections import ATTRIBUTE
from recorder.store.locks import is_being_written, release
from recorder.store.new_session import create_arrays, move_in
from recorder.store.origin import FORKS, origins_of_forks
from recorder.store.places import keep_out_of_sessions, on_this_computer, place
from recorder.store.schema import (
    CHUNK_TICKS,
    EPISODE_COLUMNS,
    KEY_COLUMNS,
    LABELS,
    OUTCOMES,
    TICK_COLUMNS,
    Episode,
)
from recorder.store.session import Session
from recorder.store.zarr_store import Array, GrowingArray, GrowingGroup
from recorder.system.files import make_folders
from recorder.system.records import plain

_COPY_TICKS = 10 * CHUNK_TICKS
_PAUSE_NS = 1_000_000_000  # between parts whose clocks cannot be compared
_FAR_NS = 1 << 60  # 36 years


@dataclass(frozen=True)
class ReshapeProgress:
    """Ticks copied so far, of `total`; the last one has the paths of the new sessions, and a note if there is one."""

    ticks: int
    total: int
    made: tuple[Path, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class _Part:
    """The ticks and episodes of a session that go into a new one; `shift_ns` is added to its times."""

    session: Session
    episodes: tuple[Episode, ...]
    ticks: range
    shift_ns: int = 0


def merging(paths: Sequence[Path], library: Path, *, title: str = "") -> Generator[ReshapeProgress, None, None]:
    """Join sessions of one environment into a new one in `library`. Closing the generator early leaves no files.

    Raises UsageError for sessions that cannot be joined, SessionError or LibraryError.
    """
    if len(different := {place(path) for path in paths}) < 2:
        raise UsageError("merging needs at least two different sessions")
    sessions = sorted(map(Session.open, different), key=lambda session: (session.created, session.name))
    first = sessions[0]
    for session in sessions:
        _check_finished(session)
        differences = first.spec.differences(session.spec)
        if not differences and first.spec.sees_screen and not _same_colours(first, session):
            differences = ["their colours differ"]
        if not differences and first.attributes.get(ATTRIBUTE) != session.attributes.get(ATTRIBUTE):
            differences = ["a clone and its supervisor did not play them in the same way"]
        if differences:
            raise UsageError(f"{first.path} and {session.path} cannot be merged ({'; '.join(differences)})")
    other = other_simulator(session.spec for session in sessions)
    note = f"some of it was recorded with {other}" if other else ""
    parts: list[_Part] = []
    end_ns = 0
    for session in sessions:
        part = _Part(session, tuple(session.episodes), range(len(session)))
        shift = _clock(session)[1] - _clock(session)[0] - (_clock(first)[1] - _clock(first)[0])
        begin_ns = int(session.time_ns[0])
        if begin_ns + shift <= end_ns or abs(shift) > _FAR_NS:
            shift = end_ns + _PAUSE_NS - begin_ns
        parts.append(replace(part, shift_ns=shift if parts else 0))
        end_ns = int(session.time_ns[-1]) + parts[-1].shift_ns
    players = [session.player for session in sessions]
    same = all(player == players[0] for player in players)
    attributes: dict[str, Any] = {
        "title": title or _with(first.title or default_name(players, None, first.created), "merged"),
        "notes": "\n\n".join(dict.fromkeys(session.notes for session in sessions if session.notes))[:MAX_NOTES],
        "tags": list(dict.fromkeys(tag for session in sessions for tag in session.tags))[:MAX_TAGS],
        "player": players[0] if same else {"kind": "mixed", "name": "", "params": {"players": _distinct(players)}},
    }
    total = sum(len(part.ticks) for part in parts)
    for done, path in _build(library, parts, attributes, _when(first.created)):
        yield ReshapeProgress(done, total) if path is None else ReshapeProgress(done, total, (path,), note)


def _same_colours(first: Session, session: Session) -> bool:
    one, other = first.palette, session.palette
    return one is other if one is None or other is None else np.array_equal(one, other)


def splitting(path: Path, number: int, library: Path) -> Generator[ReshapeProgress, None, None]:
    """Part a session into two new ones in `library`: what came before the game with this number, from 2, and
    the rest.

    Closing the generator early leaves no files. Raises UsageError, SessionError or LibraryError.
    """
    session = Session.open(path)
    _check_finished(session)
    games = len(session.recorded_games)
    if not 2 <= number <= games:
        known = f"choose from 2 to {games}" if games > 1 else "it holds a single game"
        raise UsageError(f"{path} cannot be split before game {number}; {known}")
    tick = session.game(number).start
    before = tuple(each for each in session.episodes if each.stop <= tick)
    after = tuple(each for each in session.episodes if each.start >= tick)
    made: list[Path] = []
    try:
        for number, part in enumerate(
            (_Part(session, before, range(tick)), _Part(session, after, range(tick, len(session)))), start=1
        ):
            title = _with(session.title or default_name([session.player], None, session.created), f"{number} of 2")
            words = {"title": title, "notes": session.notes, "tags": list(session.tags), "player": session.player}
            monotonic, _ = _clock(session)
            begun_s = max(0.0, (int(session.time_ns[part.ticks.start]) - monotonic) * 1e-9) if number == 2 else 0.0
            created = _when(session.created) + timedelta(seconds=begun_s)
            for done, new in _build(library, [part], words, created):
                made += [] if new is None else [new]
                finished = tuple(made) if len(made) == 2 else ()
                yield ReshapeProgress(part.ticks.start + done, len(session), finished)
    except BaseException:
        for half in made:  # of one half alone, some games would be there twice
            shutil.rmtree(half, ignore_errors=True)
        raise


def _build(
    library: Path, parts: Sequence[_Part], words: dict[str, Any], created: datetime
) -> Generator[tuple[int, Path | None], None, None]:
    """Write one session from parts; yields the ticks copied, and at the end the session's path."""
    library = on_this_computer(place(library))
    keep_out_of_sessions(library)
    making = library / f".making-{uuid.uuid4().hex}"
    first = parts[0].session
    attributes = {
        key: value
        for key, value in first.attributes.items()
        if key in ("format", "version", "env", "seed", "clock", "palette", "outcomes", ATTRIBUTE)
    }
    names = {code: name for part in parts for code, name in part.session.key_names.items()}
    attributes |= {"ticks": 0, "episodes": 0, "keys": 0, "finals": 0, "state": "recording"} | words
    attributes |= {"created": created.isoformat(timespec="seconds"), "key_names": {str(k): v for k, v in names.items()}}
    attributes |= {"made_of": [_origin(part) for part in parts]}
    if forks := [fork for part in parts for fork in _forks(part)]:
        attributes[FORKS] = forks
    attributes |= {
        "origins": [list(o) for part in parts for o in origins_within(origins_of(part.session), [part.ticks])]
    }
    try:
        make_folders(making)
        group = GrowingGroup(making, attributes)
        arrays = create_arrays(group, first.spec, first.storage, shared=ATTRIBUTE in attributes)
        rows: list[dict[str, Any]] = []
        spans: list[range] = []
        done = 0
        for part in parts:
            rows += _episode_rows(part, done, len(rows))
            spans += [range(s.start + done, s.stop + done) for s in _shifted_spans(part)]
            for copied in _copy_ticks(part, arrays):
                yield done + copied, None
            done += len(part.ticks)
        for column in EPISODE_COLUMNS:
            arrays[f"episodes/{column.name}"].append(np.array([row[column.name] for row in rows], column.dtype))
        for array in arrays.values():
            array.finish()
        group.commit(
            ticks=done,
            episodes=len(rows),
            keys=arrays["keys/code"].rows,
            finals=len(rows),
            excluded_spans=[[span.start, span.stop] for span in merge_spans(spans, done)],
            state="complete",
        )
        session = Session.open(making)
        group.commit(summary=session.summary(), digest=session.digest())
        path, lock = move_in(group, library, created, first.spec)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise LibraryError(f"{library} cannot be written: {reason}; free some disk space and try again") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    release(lock)
    yield done, path


def _copy_ticks(part: _Part, arrays: dict[str, GrowingArray]) -> Generator[int, None, None]:
    session, ticks = part.session, part.ticks
    whole = {"action": session.actions, "reward": session.rewards}
    whole |= {column.name: getattr(session, column.name) for column in TICK_COLUMNS if column.name != "reward"}
    whole |= session.corrections.columns if session.corrections is not None else {}
    whole["time_ns"] = session.time_ns + part.shift_ns
    whole["due_ns"] = np.where(session.due_ns != 0, session.due_ns + part.shift_ns, 0)
    for start in range(ticks.start, ticks.stop, _COPY_TICKS):
        stop = min(start + _COPY_TICKS, ticks.stop)
        for name, rows in whole.items():
            arrays[name].append(rows[start:stop])
        for name, rows in session.moments(start, stop).items():
            arrays[name].append(rows)
        yield stop - ticks.start
    for name, rows in _closing_moments(part).items():
        arrays[f"final_{name}"].append(rows)
    keys = session.keys[_own_keys(part)]
    for column in KEY_COLUMNS:
        values = keys[column.name]
        arrays[f"keys/{column.name}"].append(values + part.shift_ns if column.name == "time_ns" else values)


def _own_keys(part: _Part) -> Array:
    """Which key transitions belong to the part; those before the first tick belong to the first part."""
    times = part.session.keys["time_ns"]
    own = np.ones(len(times), bool)
    if part.ticks.start:
        own &= times >= part.session.time_ns[part.ticks.start]
    if part.ticks.stop < len(part.session):
        own &= times < part.session.time_ns[part.ticks.stop]
    return own


def _episode_rows(part: _Part, tick: int, row: int) -> list[dict[str, Any]]:
    """The part's episodes, starting at `tick` and at `row` of the new session."""
    numbers = {episode.index: row + position for position, episode in enumerate(part.episodes)}
    shift = tick - part.ticks.start
    rows = []
    for episode in part.episodes:
        part.session.lead_in(episode)  # refuses segments that do not fit together
        outcome = episode.outcome if episode.outcome in OUTCOMES else "stopped"
        values = {
            "start": episode.start + shift,
            "stop": episode.stop + shift,
            "seed": episode.seed,
            "total_reward": episode.total_reward,
            "outcome": OUTCOMES.index(outcome),
            "parent": numbers.get(episode.parent, -1),
            "parent_tick": episode.parent_tick + shift if episode.parent >= 0 else -1,
            "excluded": episode.excluded,
            "label": LABELS.index(episode.label),
        }
        rows.append(values)
    return rows


def _forks(part: _Part) -> list[dict[str, Any]]:
    """Where the lead-ins of the part come from, one entry for each."""
    session = part.session
    known = origins_of_forks(session.attributes, session.recorded_games)
    led = [game.number for game in session.recorded_games if game.forked and game.line[0] in part.episodes]
    return [plain(known[number]) if number in known else {} for number in led]


def _closing_moments(part: _Part) -> dict[str, Array]:
    """The final state of each episode, one row each; for an interrupted episode it is simulated again."""
    session = part.session
    stored = session.finals()
    storage = session.storage
    rows = {name: np.zeros((len(part.episodes), *shape), dtype) for name, (shape, dtype) in storage.items()}
    for position, episode in enumerate(part.episodes):
        if episode.outcome == "interrupted" or episode.index >= len(next(iter(stored.values()))):
            _replay_to_the_end(session, episode, rows, position)
        else:
            for name, values in stored.items():
                rows[name][position] = values[episode.index]
    return rows


def _replay_to_the_end(session: Session, episode: Episode, rows: dict[str, Array], position: int) -> None:
    """Raises SessionError if the installed simulator plays differently."""
    installed = installed_spec(session.spec)
    changes = session.spec.differences(installed)
    last = episode.stop - 1
    with Game(session.spec) as game:
        observation = game.reset(episode.seed) if changes else replay_to(game, session, episode, last)
        game.capture(observation, rows, position)
        stored = session.moments(last, last + 1)
        if changes or any(rows[name][position].tobytes() != row.tobytes() for name, row in stored.items()):
            changes += session.spec.version_differences(installed) or ["the simulation differs from the recording"]
            raise SessionError(
                f"{session.path} was interrupted, and its last moment cannot be simulated again "
                f"({'; '.join(changes)}); do not select it"
            )
        observation, *_ = game.step(game.check_action(session.actions[last]))
        game.capture(observation, rows, position)


def _shifted_spans(part: _Part) -> list[range]:
    inside = (
        range(max(span.start, part.ticks.start), min(span.stop, part.ticks.stop))
        for span in part.session.excluded_spans
    )
    return [range(s.start - part.ticks.start, s.stop - part.ticks.start) for s in inside if len(s)]


def _check_finished(session: Session) -> None:
    if not session.complete and is_being_written(session.path):
        raise SessionError(f"{session.path} is being recorded; wait until it is finished")
    if not len(session) or not session.episodes:
        raise SessionError(f"{session.path} is empty; do not select it")


def _clock(session: Session) -> tuple[int, int]:
    """The same moment on the monotonic clock and in UTC, both in nanoseconds."""
    match session.attributes.get("clock"):
        case {"monotonic_ns": int(monotonic), "unix_ns": int(unix)} if max(abs(monotonic), abs(unix)) < 2 * _FAR_NS:
            return monotonic, unix
    return 0, 0


def _when(created: str) -> datetime:
    try:
        found = datetime.fromisoformat(created)
    except ValueError:
        found = datetime.now(UTC)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _origin(part: _Part) -> dict[str, Any]:
    session = part.session
    facts = {"name": session.name, "digest": session.attributes.get("digest"), "seed": session.seed}
    facts |= {"versions": dict(session.spec.versions)}
    return facts | {"ticks": [part.ticks.start, part.ticks.stop]}


def _with(title: str, note: str) -> str:
    return f"{title[: MAX_TITLE - len(note) - 3]} ({note})"


def _distinct(players: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found = {json.dumps(player, sort_keys=True): player for player in players}
    return list(found.values())
