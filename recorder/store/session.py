"""Reading a recorded session; `recorder.store.schema` describes its layout.

Session ─▶ Head           its main attributes
        ─▶ SessionGroup   its arrays, each checked when it is read
        ─▶ Moments        screens, vectors and states
        episode_table, digest, annotations   computed from those
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from recorder.errors import NewerVersionError, SessionError, UsageError
from recorder.play.latency import Latency
from recorder.play.timing import Timing, measure
from recorder.store.annotations import (
    Annotations,
    read_episode_marks,
    read_excluded,
    read_notes,
    read_tags,
    read_title,
    store_annotations,
    to_learn,
)
from recorder.store.corrections import Corrections
from recorder.store.digest import digest_of
from recorder.store.episode_table import RecordedGame, lead_in, read_episodes, recorded_games, with_ends
from recorder.store.frames import Frames
from recorder.store.head import read_head
from recorder.store.moments import Moments
from recorder.store.places import Place, on_this_computer, place
from recorder.store.schema import KEY_COLUMNS, KEY_DTYPE, PART, Episode
from recorder.store.session_group import SessionGroup
from recorder.store.summary import summary_of
from recorder.store.untrusted import StoreError
from recorder.store.zarr_store import Array, StoredGroup

_S = TypeVar("_S", bound=np.generic)


def _tick_column(name: str, scalar: type[_S], meaning: str) -> cached_property[npt.NDArray[_S]]:
    """An attribute of a Session: a column with a row for every tick, (T,), read completely on first use."""

    def column(session: Session) -> npt.NDArray[_S]:
        return session._group.read(name, (), np.dtype(scalar).name, len(session))

    column.__doc__ = f"(T,) {np.dtype(scalar).name}, {meaning}."
    return cached_property(column)


class Session:
    """A recording, opened for reading. Arrays of scalars are read completely on first use, screens chunk by chunk."""

    def __init__(self, group: StoredGroup) -> None:
        """Raises StoreError if this is not a session, NewerVersionError for one of a later format."""
        self._head = head = read_head(group.attributes)
        self._group = SessionGroup(group)
        self._moments = Moments(self._group, head)
        self.place, self.folder = group.place, group.folder  # its stored files
        self.name = group.place.name.removesuffix(".zarr")
        self.attributes = group.attributes
        self.latency = Latency.from_json(self.attributes.get("latency"))  # measured while a person played
        self.spec, self.player, self.seed = head.spec, head.player, head.seed
        self.created, self.complete = head.created, head.complete

    @classmethod
    def open(cls, path: Place | str, *, head: bytes | None = None) -> Session:
        """Open a session for reading, in a folder or at a URL; it may still be being written.

        `head` is the `zarr.json` of a session at a URL, if already known. Raises SessionError, naming the file and the
        problem, if it is not a readable session, and RemoteError if a URL cannot be reached.
        """
        where = place(path)
        try:
            return cls(StoredGroup(where, head))
        except NewerVersionError as error:
            raise SessionError(f"{where} cannot be read: {error}") from None
        except StoreError as error:
            raise SessionError(
                f"{where} is not a readable session: {error}; choose a .zarr folder from a library"
            ) from None

    def __len__(self) -> int:
        return self._head.ticks

    def __repr__(self) -> str:
        return f"Session({str(self.place)!r}, {self.spec.name}, {self.player['kind']}, {len(self)} ticks)"

    @property
    def path(self) -> Path:
        """Its folder on this computer. Raises UsageError for a session at a URL; use `place` for these."""
        return on_this_computer(self.place)

    @property
    def duration_s(self) -> float:
        """Seconds of play at the environment's own rate."""
        return len(self) / self.spec.rate_hz

    @property
    def palette(self) -> npt.NDArray[np.uint8] | None:
        """The RGB colour of each palette index, uint8 (256, 3); None if screens are stored in RGB."""
        return self._moments.palette

    @cached_property
    def actions(self) -> Array:
        """(T,) uint8, or (T, n) float32."""
        return self._group.read("action", self.spec.action_shape, self.spec.action_dtype, len(self))

    rewards = _tick_column("reward", np.float64, "what each action earned")
    terminated = _tick_column("terminated", np.bool_, "where the game ended by itself")
    lives = _tick_column("lives", np.uint8, "left after each action")
    time_ns = _tick_column("time_ns", np.int64, "monotonic nanoseconds at which each action was chosen")
    due_ns = _tick_column("due_ns", np.int64, "when each tick was due, or 0; `time_ns` minus this is its lateness")
    speed = _tick_column("speed", np.uint8, "percent of real time; 0 where no clock set the pace")

    @cached_property
    def truncated(self) -> npt.NDArray[np.bool_]:
        """(T,) bool: true at the last tick of every episode that the game itself did not end."""
        return with_ends(self._group.read("truncated", (), "bool", len(self)), self.terminated, self.episodes)

    @cached_property
    def corrections(self) -> Corrections | None:
        """What a clone and its supervisor did together; None if another player played."""
        return Corrections.read(self._group, self.spec, len(self))

    @property
    def timing(self) -> Timing | None:
        """The timing of its ticks; None if no clock set the pace."""
        return measure(self.time_ns, self.due_ns, self.speed, self.spec.rate_hz)

    @cached_property
    def keys(self) -> Array:
        """Raw key transitions, structured (K,) with fields time_ns, code and down."""
        keys = np.zeros(self._head.keys, KEY_DTYPE)
        for column in KEY_COLUMNS:
            keys[column.name] = self._group.read(f"keys/{column.name}", (), column.dtype, len(keys))
        return keys

    @property
    def key_names(self) -> dict[int, str]:
        """The name of each key code of `keys` on a keyboard or controller."""
        names = self.attributes.get("key_names")
        return {int(code): str(name) for code, name in names.items()} if isinstance(names, dict) else {}

    @property
    def states(self) -> npt.NDArray[np.float64]:
        """Simulator states (T, S) float64, if the environment stores them."""
        return self._moments.states

    @property
    def storage(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Name -> (shape, dtype) of the arrays that store the moment before each tick."""
        return self._moments.storage

    def moments(self, start: int, stop: int) -> dict[str, Array]:
        """The stored moments before ticks [start, stop), by name, (n, …)."""
        return self._moments.stored(start, stop)

    @property
    def frames(self) -> Frames:
        """The screens as RGB. Raises SessionError for an environment without a screen."""
        self._moments.need_screens()
        return Frames(self)

    @property
    def observations(self) -> Frames | Array:
        """The observations of the player: RGB screens, or vectors (T, n)."""
        return Frames(self) if self.spec.sees_screen else self._moments.all_vectors

    def vectors(self, start: int, stop: int) -> Array:
        """The observations of ticks [start, stop) in an environment without a screen, (n, …); not cached."""
        return self._moments.vectors(start, stop)

    def screens(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """The screens of ticks [start, stop) as stored: palette indices uint8 (n, H, W), or RGB (n, H, W, 3)."""
        return self._moments.screens(start, stop)

    def screen(self, tick: int) -> npt.NDArray[np.uint8]:
        """The screen of one tick as stored, see `screens`; the chunk around it stays in memory for the next call."""
        return self._moments.screen(tick)

    @cached_property
    def episodes(self) -> list[Episode]:
        """The episodes in order; an unfinished last one ends at the last tick with outcome "interrupted"."""
        return read_episodes(self._group, self._head, lambda: self.rewards)

    @cached_property
    def recorded_games(self) -> list[RecordedGame]:
        """The games in the order in which they were played, each through all its rewinds."""
        return recorded_games(self.episodes)

    @property
    def scores(self) -> list[float]:
        """The score of each game, without what a rewind took back."""
        return [game.score for game in self.recorded_games]

    def game(self, number: int) -> RecordedGame:
        """A game by its number, counted from 1. Raises UsageError, naming those there are."""
        if not 1 <= number <= len(self.recorded_games):
            known = f"choose from 1 to {len(self.recorded_games)}" if self.recorded_games else "it holds none"
            raise UsageError(f"{self.place} has no game {number}; {known}")
        return self.recorded_games[number - 1]

    def lead_in(self, episode: Episode) -> list[range]:
        """The ranges of ticks from the start of a game to the start of one of its segments, in order.

        Raises SessionError if the segments do not fit together.
        """
        return lead_in(self.episodes, episode, self.place)

    def final_observation(self, index: int) -> Array | None:
        """The observation after the end of episode `index`: RGB screen or vector; None for an interrupted one."""
        cut = next((each for each in self.episodes if each.parent == index), None)
        if cut is not None and cut.start == cut.parent_tick:  # rewound: the undone segment begins where it ends
            return self.observations[cut.start]
        return self._moments.final(index)

    def finals(self) -> dict[str, Array]:
        """The final moment of each finished episode, by the name of the array: a row for each index."""
        return self._moments.finals()

    @property
    def title(self) -> str:
        """The user's title, in one line; may be empty."""
        return read_title(self.attributes)

    @property
    def notes(self) -> str:
        """The user's notes."""
        return read_notes(self.attributes)

    @property
    def tags(self) -> tuple[str, ...]:
        """The user's tags."""
        return read_tags(self.attributes)

    @cached_property
    def excluded_spans(self) -> tuple[range, ...]:
        """The spans excluded from training, in order and not touching. Raises SessionError if they are invalid."""
        return read_excluded(self.attributes, len(self), self.place)

    def to_learn(self, episode: Episode) -> list[range]:
        """The ticks of an episode that training may use, in order; none if it is excluded. Raises SessionError."""
        return to_learn(episode, self.excluded_spans)

    def files(self) -> dict[str, int]:
        """The files that the schema names, with their sizes in bytes.

        An interrupted session may also have partial files that its recorder was about to put in place. In a finished
        session, partial files do not belong to it: an interrupted edit left them.
        """
        return {name: size for name, size in self.folder.files().items() if not (self.complete and name.endswith(PART))}

    @property
    def size_bytes(self) -> int:
        """Bytes of all files of the session."""
        return sum(self.files().values())

    def digest(self, known: str | None = None) -> str:
        """SHA-256 over environment, player, seed and every stored array, as hex, but not notes, labels and exclusions.

        It hashes the stored chunks without decoding them. For other files see `files`, for `known` see `digest_of`.
        """
        contents = self.folder.contents(sorted(self.files()))
        return self.digest_of(((name, hashlib.sha256(content).hexdigest()) for name, content in contents), known)

    def digest_of(self, hashes: Iterable[tuple[str, str]], known: str | None = None) -> str:
        """The digest for these names and SHA-256 hashes of its files, in the order of the names.

        If `known` (by default the stored digest) is the one that an earlier version computed, it is returned.
        """
        return digest_of(self.attributes, hashes, known)

    @property
    def verified(self) -> bool:
        """Whether the session was verified with its current digest."""
        return self.complete and self.attributes.get("verified") == self.attributes.get("digest") is not None

    def certify(self, digest: str) -> None:
        """Store that the session was verified with this digest. Raises OSError or SessionError."""
        self._group.set_attributes(verified=digest)
        self.attributes = self._group.attributes

    def annotate(
        self, *, title: str, notes: str, tags: Sequence[str], excluded: Array, labels: Array, spans: Sequence[range]
    ) -> None:
        """Store the user's annotations, checked and under lock (see Annotations). Raises OSError or SessionError."""
        annotations = Annotations(title, notes, tags, excluded, labels, spans)
        store_annotations(self._group, self._head, annotations, lambda: self.episodes)
        self.attributes = self._group.attributes

    @property
    def episode_marks(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint8]]:
        """`excluded` bool and `labels` uint8 (an index into LABELS), a row for every episode that was begun."""
        return read_episode_marks(self._group, self._head)

    def summary(self) -> dict[str, Any]:
        """The figures for a list of sessions, as `recorder.store.summary` describes; fast for a complete session."""
        return summary_of(self)
