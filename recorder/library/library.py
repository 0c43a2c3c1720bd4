"""A folder of sessions.

library/
  2026-11-21T10-14-03-breakout.zarr/     sessions
  policies/                              clones trained on them (*.safetensors)
  .locks/   .trash/                      locks of running recorders; deleted sessions
  .index.json   .thumbnails/             derived; made again if they are missing
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from unicodedata import normalize

import msgspec
import platformdirs
from msgspec import Meta
from msgspec.structs import asdict

from recorder.agents.agent import PLAYER_KINDS
from recorder.errors import LibraryError, SessionError, UsageError
from recorder.library import trash
from recorder.library.index import Entry, read_index, stamp_of, write_index
from recorder.library.lineage import Origin, names_of_parts, origins_of
from recorder.library.together import together_text
from recorder.library.trash import Trashed
from recorder.play.latency import Latency
from recorder.play.timing import Timing
from recorder.store.locks import is_being_written
from recorder.store.origin import FORKS
from recorder.store.places import Place, Url, keep_out_of_sessions, on_this_computer, place
from recorder.store.races import RaceRecord, read_race
from recorder.store.schema import LABELS
from recorder.store.session import Session
from recorder.system.records import plain, read

POLICIES = "policies"
_Figure = Annotated[float, Meta(ge=-1e300, le=1e300)]  # so a finite one
_SETTLED_NS = (
    2_000_000_000  # what was changed later than that ago may be changed again within the clock of a file system
)


class SessionFacts(msgspec.Struct, frozen=True):
    """What the index of a library keeps of a complete session."""

    env: str
    env_title: str
    player: dict[str, Any]
    created: str
    ticks: int
    episodes: int
    seconds: _Figure
    total_rewards: tuple[_Figure, ...]
    size_bytes: int
    timing: Timing | None
    latency: Latency | None
    verified: bool
    digest: str
    title: str
    notes: str
    tags: tuple[str, ...]
    labels: dict[str, int]
    learn_ticks: int
    origins: tuple[Origin, ...]
    made_of: tuple[str, ...]
    race: RaceRecord | None  # these have no default: entries of earlier versions, which lack them, are made again
    led_ticks: int
    together: str = ""


@dataclass(frozen=True)
class SessionSummary:
    """One line of a list of sessions. `state` is complete, recording, interrupted or unreadable (see `problem`).

    `labels` are how many games have each label, `learn_ticks` the ticks that training may use, and
    `led_ticks` those of lead-ins, which are another's play and never learned from. `origins` tell where its ticks come
    from (see `recorder.library.lineage`), `made_of` the names of the sessions that it was merged from or split from.
    `together` is what two players did (recorder.library.together), `race` how a race went.
    """

    place: Place
    name: str
    env: str
    env_title: str
    player: dict[str, Any]
    created: str
    state: str
    ticks: int
    episodes: int
    seconds: float
    total_rewards: tuple[float, ...]
    size_bytes: int
    timing: Timing | None = None
    latency: Latency | None = None
    verified: bool = False
    problem: str = ""
    digest: str = ""
    title: str = ""
    notes: str = ""
    tags: tuple[str, ...] = ()
    labels: Mapping[str, int] = field(default_factory=dict)
    learn_ticks: int = 0
    origins: tuple[Origin, ...] = ()
    made_of: tuple[str, ...] = ()
    together: str = ""
    race: RaceRecord | None = None
    led_ticks: int = 0

    @property
    def path(self) -> Path:
        """The session's folder on this computer. Raises UsageError for a session at a URL; use `place` there."""
        return on_this_computer(self.place)

    @property
    def mean_score(self) -> float | None:
        """Mean total reward of the episodes."""
        return sum(self.total_rewards) / len(self.total_rewards) if self.total_rewards else None

    @property
    def best_score(self) -> float | None:
        """Highest total reward of an episode."""
        return max(self.total_rewards, default=None)

    def to_json(self) -> dict[str, Any]:
        """What a complete session's entry in the index holds: all but path, name and state, as plain JSON values."""
        values: dict[str, Any] = plain({name: getattr(self, name) for name in SessionFacts.__struct_fields__})
        return values

    @classmethod
    def from_json(cls, path: Path, facts: Any) -> SessionSummary:
        """The inverse of `to_json`. Raises ValueError for what is not one."""
        found = asdict(read(SessionFacts, facts))
        if found["player"].get("kind") not in PLAYER_KINDS:
            raise ValueError("nobody played")
        return cls(place=path, name=path.name.removesuffix(".zarr"), state="complete", **found)


def default_library() -> Path:
    """The default library: $TWINPLAY_LIBRARY, or a folder in the user's data folder."""
    chosen = os.environ.get("TWINPLAY_LIBRARY")
    if chosen:
        return on_this_computer(place(chosen), "set TWINPLAY_LIBRARY to a folder")
    return user_library()


def user_library() -> Path:
    """The library in the user's data folder."""
    return Path(platformdirs.user_data_dir("twinplay", appauthor=False)) / "library"


class Library:
    """The sessions of one folder, which need not exist yet, or of one URL.

    At a URL only `sessions` is available; everything else raises UsageError.
    """

    def __init__(self, path: Place | str | None = None) -> None:
        if path == "":
            raise UsageError("the name of the library is empty; give a folder, or omit --library to use the default")
        self.place = place(default_library() if path is None else path)

    @property
    def path(self) -> Path:
        """The folder. Raises UsageError for a library at a URL, LibraryError if it is a file."""
        path = on_this_computer(self.place)
        there = next((each for each in (path, *path.parents) if os.path.exists(each)), None)
        if there is not None and not os.path.isdir(there):
            raise LibraryError(f"{there} is a file, not a library folder; choose a folder")
        return path

    @property
    def policies(self) -> Path:
        """The folder of policies trained here."""
        return self.path / POLICIES

    def sessions(self) -> list[SessionSummary]:
        """All sessions, the newest first; an unreadable one is listed with its problem.

        At a URL only finished copies are listed, without an index: with one listing, then all `zarr.json` at once.
        Raises LibraryError if the folder cannot be read or is a session itself, RemoteError if the URL cannot be
        reached.
        """
        if isinstance(self.place, Url):
            from recorder.store.remote import session_heads

            heads = session_heads(self.place)
            return [summarize(self.place / name, heads[name]) for name in sorted(heads, reverse=True)]
        folder = self.path  # which is looked for each time that it is asked for
        keep_out_of_sessions(folder)
        try:
            with os.scandir(folder) as found:
                links = {each.name: each.is_symlink() for each in found if each.name.endswith(".zarr")}
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LibraryError(f"{folder} cannot be read: {error.strerror}") from error
        known = read_index(folder)
        summaries, entries = [], {}
        for name in sorted(links, reverse=True):
            path = folder / name
            if name.startswith(".") or (links[name] and not path.exists()):  # its session is in the trash, say
                continue
            summary, entry = _look_up(path, known.get(name))
            summaries.append(summary)
            if entry is not None:
                entries[name] = entry
        if entries != known:
            write_index(folder, entries)
        return summaries

    def find(self, name: str) -> Place:
        """The place of session `name`, given with or without ".zarr". Raises SessionError if a folder has none.

        Composed and decomposed characters (NFC, NFD) are the same: macOS stores the latter, and people type the former.
        """
        where = self.place / f"{Path(name).name.removesuffix('.zarr')}.zarr"
        if isinstance(where, Path) and not where.is_dir():
            for each in os.listdir(self.path) if self.path.is_dir() else ():
                if normalize("NFC", each) == normalize("NFC", where.name):
                    return where.with_name(each)
            raise SessionError(f"{self.place} has no session named {name}; `twinplay sessions` lists them")
        return where

    def trash(self, name: str) -> Path:
        """Move a session to the trash of its library and return its new path; see `restore`.

        A link's target is moved; the link is restored together with it. Raises SessionError if there is no such
        session, or it is being recorded.
        """
        path = on_this_computer(place(self.find(name)))
        if is_being_written(path):
            raise SessionError(f"{path} is being recorded; stop the recording first")
        return trash.throw(path)

    @property
    def has_trash(self) -> bool:
        """Whether any session is in the trash."""
        try:
            return trash.holds_any(self.path)
        except LibraryError:  # a file stands in the way; `sessions` says so
            return False

    def trashed(self) -> list[Trashed]:
        """The sessions in the trash, the latest first."""
        return trash.listed(self.path)

    def restore(self, trashed: Path) -> Path:
        """Restore a session from a trash and return its path. Raises SessionError or LibraryError."""
        return trash.restore(trashed)

    def empty_trash(self) -> tuple[int, int]:
        """Permanently delete the trash; returns the number of sessions and bytes. Raises LibraryError."""
        return trash.empty(self.path)


def session_place(given: str, library: Place | str | None) -> Place:
    """A session given as a path, as a URL, or by its name in the library. Raises SessionError if there is none."""
    where = place(given)
    if isinstance(where, Path) and not where.exists() and os.sep not in given.rstrip(os.sep):
        return place(Library(library).find(given))
    return where


def _look_up(path: Path, entry: Entry | None) -> tuple[SessionSummary, Entry | None]:
    """A session's summary, from its entry in the index if that is still valid, and the entry to store."""
    stamp = stamp_of(path)
    if entry is not None and entry.stamp == stamp:
        with contextlib.suppress(ValueError):
            if path not in entry.made:
                entry.made[path] = SessionSummary.from_json(path, entry.facts)
            return entry.made[path], entry
    summary = summarize(path)
    settled = stamp is not None and time.time_ns() - stamp[0] > _SETTLED_NS
    if stamp is None or not settled or summary.state != "complete":
        return summary, None
    return summary, Entry(stamp, summary.to_json())


def summarize(where: Place, head: bytes | None = None) -> SessionSummary:
    """The summary of one session, even of a damaged one; raises only RemoteError. `head` is as in `Session.open`."""
    try:
        session = Session.open(where, head=head)
        summary = session.summary()
        state = "complete" if session.complete else "recording" if is_being_written(where) else "interrupted"
        return SessionSummary(
            place=where,
            name=where.name.removesuffix(".zarr"),  # of a link in the library, its own
            env=session.spec.name,
            env_title=session.spec.title,
            player=session.player,
            created=session.created,
            state=state,
            ticks=len(session),
            episodes=int(summary["episodes"]),
            seconds=session.duration_s,
            total_rewards=tuple(float(score) for score in summary["total_rewards"]),
            size_bytes=int(summary["size_bytes"]),
            timing=Timing.from_json(summary["timing"]),
            latency=session.latency,
            verified=session.verified,
            digest=str(session.attributes.get("digest", "")),
            title=session.title,
            notes=session.notes,
            tags=session.tags,
            labels={label: int(summary["labels"][label]) for label in LABELS if label},
            learn_ticks=int(summary["learn_ticks"]),
            origins=origins_of(session),
            made_of=names_of_parts(session),
            together=together_text(session),
            race=read_race(session.attributes),
            led_ticks=_led_ticks(session),
        )
    except (SessionError, KeyError, TypeError, ValueError, OverflowError) as error:
        return SessionSummary(
            where, where.name.removesuffix(".zarr"), "", "", {}, "", "unreadable", 0, 0, 0.0, (), 0, problem=str(error)
        )


def _led_ticks(session: Session) -> int:
    return sum(len(each) for each in session.episodes if each.leads_in) if FORKS in session.attributes else 0


def local_time(created: str, form: str = "%Y-%m-%d %H:%M") -> str:
    """A stored time (ISO 8601, UTC) as local time; any other text is shortened and returned."""
    try:
        return f"{datetime.fromisoformat(created).astimezone():{form}}"
    except (ValueError, OverflowError, OSError):
        return created[:16]


def matches(summary: SessionSummary, search: str) -> bool:
    """Whether each word of `search` is in the session's title, notes, tags, labels, environment, player or name."""
    labels = (label for label, games in summary.labels.items() if games)
    player = (str(summary.player.get(key, "")) for key in ("kind", "name"))
    texts = (summary.title, summary.notes, *summary.tags, summary.env_title, summary.env, *player, *labels)
    text = " ".join((*texts, summary.together, summary.name)).casefold()
    return all(word in text for word in search.casefold().split())


def sort_key(summary: SessionSummary, by: str) -> tuple[bool, Any, str]:
    """The value to sort sessions by: date, title, player, games, minutes, mean, best or size."""
    value = {
        "date": summary.created,
        "title": (summary.title or summary.name).casefold(),
        "player": f"{summary.player.get('kind', '')} {summary.player.get('name', '')}".casefold(),
        "games": summary.episodes,
        "minutes": summary.seconds,
        "mean": summary.mean_score,
        "best": summary.best_score,
        "size": summary.size_bytes,
    }[by]
    return value is not None, value, summary.name


def ensure_writable(folder: Path) -> None:
    """Raise LibraryError unless files can be written in `folder`, which is created if needed."""
    keep_out_of_sessions(on_this_computer(place(folder)))
    probe = folder / f".write-probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
    except OSError as error:
        raise LibraryError(f"{folder} cannot be written: {error.strerror}; choose another folder") from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
