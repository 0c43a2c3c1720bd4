"""Reading a recorded session; what lies where in it is drawn in `recorder.store.schema`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from recorder.agents.agent import PLAYER_KINDS
from recorder.envs.registry import stored_spec
from recorder.envs.spec import SCREEN, STATE
from recorder.errors import NewerVersionError, SessionError, check_version
from recorder.play.timing import Timing, measure
from recorder.store.annotations import read_notes, read_spans, read_tags, read_title, summed_up, to_learn
from recorder.store.frames import Frames
from recorder.store.places import Folder, Place, on_this_computer, place
from recorder.store.schema import (
    CHUNK_TICKS,
    EPISODE_COLUMNS,
    FORMAT,
    FORMAT_VERSION,
    KEY_COLUMNS,
    KEY_DTYPE,
    LABELS,
    OPINION_COLUMNS,
    OUTCOMES,
    PART,
    Episode,
)
from recorder.store.untrusted import METADATA, StoreError
from recorder.store.zarr_store import MAX_ROWS, Array, StoredGroup, read

_T = TypeVar("_T")

_OPINIONS = tuple(f"episodes/{name}/" for name in OPINION_COLUMNS)


class Session:
    """A recording, opened for reading. Arrays of scalars are read whole at first use; screens chunk by chunk."""

    def __init__(self, group: StoredGroup) -> None:
        self.place = group.place
        self._group = group
        attributes = group.attributes
        self.attributes = attributes
        if attributes.get("format") != FORMAT:
            raise StoreError("it is a Zarr group, but not one that Twinplay recorded")
        try:
            check_version(attributes.get("version"), FORMAT_VERSION)
            self.spec = stored_spec(attributes.get("env"))
        except NewerVersionError as error:
            raise SessionError(f"{group.place} cannot be read: {error}") from None
        except ValueError as error:
            raise StoreError(str(error)) from error
        self._ticks, self._episode_rows, self._key_rows, self._final_rows = (
            _count(attributes, of) for of in ("ticks", "episodes", "keys", "finals")
        )
        player = attributes.get("player")
        if not isinstance(player, dict) or player.get("kind") not in PLAYER_KINDS:
            raise StoreError(f"it names no player of a known kind (found {str(player)[:80]})")
        self.player: dict[str, Any] = player
        self.seed: int = attributes.get("seed", 0)
        self.created: str = str(attributes.get("created", ""))
        self.complete = attributes.get("state") == "complete"
        self._cached_chunk = -1
        self._chunk: npt.NDArray[np.uint8] = np.empty((0, 0, 0), np.uint8)

    @classmethod
    def open(cls, path: Place | str, *, head: bytes | None = None) -> Session:
        """Open a session for reading, in a folder or at a URL, also one that is still being written.

        `head` is its `zarr.json`, where it lies at a URL and that is known already. Raises SessionError, saying what is
        wrong with which file, when it is not a readable session, and RemoteError when a URL cannot be reached.
        """
        where = place(path)
        try:
            return cls(StoredGroup(where, head))
        except StoreError as error:
            raise SessionError(
                f"{where} is not a readable session: {error}; choose a .zarr folder from a library"
            ) from None

    def __len__(self) -> int:
        return self._ticks

    def __repr__(self) -> str:
        return f"Session({str(self.place)!r}, {self.spec.name}, {self.player['kind']}, {len(self)} ticks)"

    @property
    def path(self) -> Path:
        """Its folder on this computer. Raises UsageError for a session at a URL, whose `place` that is."""
        return on_this_computer(self.place)

    @property
    def folder(self) -> Folder:
        """Its files as they are stored."""
        return self._group.folder

    @property
    def name(self) -> str:
        """The folder's name without its suffix."""
        return self.place.name.removesuffix(".zarr")

    @property
    def duration_s(self) -> float:
        """Seconds of play at the environment's own rate."""
        return len(self) / self.spec.rate_hz

    @cached_property
    def palette(self) -> npt.NDArray[np.uint8]:
        """The RGB colour of each palette index, uint8 (256, 3)."""
        try:
            palette = np.array(self.attributes["palette"], np.uint8)
        except (KeyError, ValueError, TypeError, OverflowError):
            palette = np.empty(0, np.uint8)
        if palette.shape != (256, 3):
            raise SessionError(f"{self.place} holds no palette of 256 colours, so its screens cannot be shown")
        return palette

    @cached_property
    def actions(self) -> Array:
        """(T,) uint8, or (T, n) float32."""
        return self._ticks_of("action", self.spec.action_shape, self.spec.action_dtype)

    @cached_property
    def rewards(self) -> npt.NDArray[np.float64]:
        """(T,) float64."""
        return self._ticks_of("reward", (), "float64")

    @cached_property
    def terminated(self) -> npt.NDArray[np.bool_]:
        """(T,) bool."""
        return self._ticks_of("terminated", (), "bool")

    @cached_property
    def truncated(self) -> npt.NDArray[np.bool_]:
        """(T,) bool: at the last tick of every episode that the game itself did not end, whatever ended it.

        Earlier versions did not store it of games that were stopped or rewound, and nobody stores it of one whose
        recorder was killed; it comes from `episodes` then.
        """
        ends = np.array([episode.stop - 1 for episode in self.episodes], np.int64)
        truncated = np.zeros(self._ticks, np.bool_)
        truncated[ends] = self._ticks_of("truncated", (), "bool")[ends] | ~self.terminated[ends]
        return truncated

    @cached_property
    def lives(self) -> npt.NDArray[np.uint8]:
        """(T,) uint8, lives left after each action."""
        return self._ticks_of("lives", (), "uint8")

    @cached_property
    def time_ns(self) -> npt.NDArray[np.int64]:
        """(T,) int64, monotonic nanoseconds at which each action was chosen."""
        return self._ticks_of("time_ns", (), "int64")

    @cached_property
    def due_ns(self) -> npt.NDArray[np.int64]:
        """(T,) int64, monotonic nanoseconds at which each tick was due, or 0; `time_ns` minus this is its lateness."""
        return self._ticks_of("due_ns", (), "int64")

    @cached_property
    def speed(self) -> npt.NDArray[np.uint8]:
        """(T,) uint8, percent of real time at which each tick was played; 0 where no clock set the pace."""
        return self._ticks_of("speed", (), "uint8")

    @property
    def timing(self) -> Timing | None:
        """How evenly it was played; None where no clock set the pace."""
        return measure(self.time_ns, self.due_ns, self.speed, self.spec.rate_hz)

    @cached_property
    def keys(self) -> Array:
        """Raw key transitions, structured (K,) with fields time_ns, code and down."""
        keys = np.zeros(self._key_rows, KEY_DTYPE)
        for column in KEY_COLUMNS:
            keys[column.name] = self._read(f"keys/{column.name}", (), column.dtype, self._key_rows)
        return keys

    @property
    def key_names(self) -> dict[int, str]:
        """What each key code of `keys` is called on a keyboard or controller."""
        names = self.attributes.get("key_names")
        return {int(code): str(name) for code, name in names.items()} if isinstance(names, dict) else {}

    @cached_property
    def states(self) -> npt.NDArray[np.float64]:
        """Simulator states (T, S) float64, where the environment stores them."""
        return self._ticks_of(STATE, None, "float64")

    @property
    def storage(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Name -> (shape, dtype) of what is stored of the moment before each tick."""
        return self.spec.storage(self.states.shape[1] if self.spec.stores_state else 0)

    def moments(self, start: int, stop: int) -> dict[str, Array]:
        """What is stored of the moments before ticks [start, stop), by name, (n, …)."""
        if self.spec.sees_screen:
            return {SCREEN: self.screens(start, stop)}
        stored: dict[str, Array] = {self.spec.observation_array: self._vectors[start:stop]}
        return stored | ({STATE: self.states[start:stop]} if self.spec.stores_state else {})

    @property
    def frames(self) -> Frames:
        """The screens as RGB. Raises SessionError for an environment without a screen."""
        self._need_screens()
        return Frames(self)

    @property
    def observations(self) -> Frames | Array:
        """What an Agent saw: RGB screens, or vectors (T, n)."""
        return Frames(self) if self.spec.sees_screen else self._vectors

    def vectors(self, start: int, stop: int) -> Array:
        """What an Agent saw in ticks [start, stop) of an environment without a screen, (n, …); nothing is kept."""
        shape, dtype = self.spec.observation_shape, self.spec.observation_dtype
        return self._guard(lambda: read(self._checked("observation", shape, dtype, self._ticks), slice(start, stop)))

    @cached_property
    def _vectors(self) -> Array:
        return self._ticks_of("observation", self.spec.observation_shape, self.spec.observation_dtype)

    @cached_property
    def _screen_array(self) -> Any:
        return self._checked("screen", self.spec.frame_shape, "uint8", self._ticks)

    def screens(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """Palette indices of ticks [start, stop), uint8 (n, 210, 160). Decodes each chunk it touches once."""
        self._need_screens()
        return self._guard(lambda: read(self._screen_array, slice(start, min(stop, self._ticks))))

    def screen(self, tick: int) -> npt.NDArray[np.uint8]:
        """Palette indices of one tick, uint8 (210, 160). The chunk around it stays in memory for the next call."""
        chunk = tick // CHUNK_TICKS
        if chunk != self._cached_chunk or tick % CHUNK_TICKS >= len(self._chunk):
            self._chunk = self.screens(chunk * CHUNK_TICKS, (chunk + 1) * CHUNK_TICKS)
            self._cached_chunk = chunk
        screen: npt.NDArray[np.uint8] = self._chunk[tick % CHUNK_TICKS]
        return screen

    @cached_property
    def episodes(self) -> list[Episode]:
        """The episodes in order; an unfinished last one ends at the last tick with outcome "interrupted"."""
        columns = [self._read(f"episodes/{c.name}", (), c.dtype, self._episode_rows) for c in EPISODE_COLUMNS]
        episodes = []
        for index, row in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
            start, stop, seed, total_reward, outcome, parent, parent_tick, excluded, mark = row
            label = LABELS[mark] if mark < len(LABELS) else ""
            name = OUTCOMES[outcome] if outcome < len(OUTCOMES) else "unknown"
            if start >= self._ticks:
                continue  # announced, but none of its ticks was committed
            if outcome == 0 or (stop > self._ticks and not self.complete):
                stop, name = self._ticks, "interrupted"
                total_reward = float(self.rewards[start:stop].sum())
            if not 0 <= start <= stop <= self._ticks:
                raise SessionError(
                    f"{self.place}: episode {index} claims ticks {start} to {stop}, but {self._ticks} are committed; "
                    "the session is damaged"
                )
            if stop > start:
                episodes.append(
                    Episode(index, start, stop, seed, total_reward, name, bool(excluded), parent, parent_tick, label)
                )
        return episodes

    @property
    def openings(self) -> list[Episode]:
        """The episodes that begin at the start of a game; all of them, unless there was a rewind."""
        return [episode for episode in self.episodes if episode.parent < 0]

    @property
    def games(self) -> list[float]:
        """The score of each game that was played to where it ends, over all its segments; without what was undone."""
        return self.scores_of(self.episodes)

    def scores_of(self, episodes: Iterable[Episode]) -> list[float]:
        """Like `games`, of those among these episodes that are the last segment of theirs."""
        by_index = {episode.index: episode for episode in self.episodes}
        scores = []
        for episode in episodes:
            if episode.outcome == "rewound":
                continue
            score, parent = episode.total_reward, by_index.get(episode.parent)
            while parent is not None:
                score, parent = score + parent.total_reward, by_index.get(parent.parent)
            scores.append(score)
        return scores

    def lead_in(self, episode: Episode) -> list[range]:
        """The ticks that lead from the start of a game to the start of a segment of it, in order.

        Raises SessionError when the segments do not fit together.
        """
        by_index = {each.index: each for each in self.episodes}
        ranges: list[range] = []
        while episode.parent >= 0:
            parent = by_index.get(episode.parent)
            if (
                parent is None
                or parent.index >= episode.index
                or not parent.start <= episode.parent_tick <= parent.stop
            ):
                raise SessionError(
                    f"{self.place}: episode {episode.index} claims to go on from tick {episode.parent_tick} of episode "
                    f"{episode.parent}, which does not hold it; the session is damaged"
                )
            ranges.insert(0, range(parent.start, episode.parent_tick))
            episode = parent
        return ranges

    def final_observation(self, index: int) -> Array | None:
        """What closed episode `index`: RGB screen or vector; None for an interrupted one."""
        cut = next((each for each in self.episodes if each.parent == index), None)
        if cut is not None and cut.start == cut.parent_tick:  # rewound: what was undone begins where it ends
            return self.observations[cut.start]
        if index >= self._final_rows:
            return None
        spec = self.spec
        array = self._checked(
            f"final_{spec.observation_array}", spec.frame_shape, spec.observation_dtype, self._final_rows
        )
        row = self._guard(lambda: read(array, index))
        return self.palette[row] if spec.sees_screen else row

    def finals(self) -> dict[str, Array]:
        """The stored moment that closes each finished episode, by the name of what is stored: a row for each index."""
        return {
            name: self._read(f"final_{name}", None if name == STATE else shape, dtype, self._final_rows)
            for name, (shape, dtype) in self.spec.storage(0).items()
        }

    @property
    def title(self) -> str:
        """What its owner calls it, in one line; empty where only the folder names it."""
        return read_title(self.attributes)

    @property
    def notes(self) -> str:
        """Whatever its owner wrote about it."""
        return read_notes(self.attributes)

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to find it by."""
        return read_tags(self.attributes)

    @cached_property
    def excluded_spans(self) -> tuple[range, ...]:
        """Ticks that are not to be learned from, in order and apart from each other.

        Raises SessionError where they are not such.
        """
        try:
            return read_spans(self.attributes, self._ticks)
        except ValueError:
            raise SessionError(
                f"{self.place}: its excluded spans are no list of [start, stop] ticks below {self._ticks} in order; "
                "set them anew with `twinplay edit`"
            ) from None

    def to_learn(self, episode: Episode) -> list[range]:
        """The ticks of an episode that training may use, in order: none of an excluded one. Raises SessionError."""
        return to_learn(episode, self.excluded_spans)

    def files(self) -> dict[str, int]:
        """Its files, those that the schema names, with their sizes in bytes.

        One that was interrupted may hold parts of what its recorder was about to replace. Those of a finished one are
        nobody's: an edit of its opinions left them.
        """
        return {name: size for name, size in self.folder.files().items() if not (self.complete and name.endswith(PART))}

    @property
    def size_bytes(self) -> int:
        """Bytes of all files of the session."""
        return sum(self.files().values())

    def digest(self, known: str | None = None) -> str:
        """SHA-256 over environment, player, seed and every stored array, as hex, but not notes, labels and exclusions.

        It hashes the stored chunks, so a recording of half an hour takes milliseconds, not a full decode; of other
        files in the folder it knows nothing (see `files`). For `known` see `digest_of`.
        """
        contents = self.folder.contents(sorted(self.files()))
        return self.digest_of(((name, hashlib.sha256(content).hexdigest()) for name, content in contents), known)

    def digest_of(self, hashes: Iterable[tuple[str, str]], known: str | None = None) -> str:
        """The digest that it has if these are the names and SHA-256 hashes of its files, in the order of the names.

        The simulator's versions are told, not judged, and so no part of it. Once they were: the digest with them is
        returned where it is the one that is `known`, by default the one stored.
        """
        files = [
            f"{name} {content}\n".encode()
            for name, content in hashes
            if name != METADATA and not name.startswith(_OPINIONS)
        ]
        env = self.attributes.get("env")
        played = {name: value for name, value in env.items() if name != "versions"} if isinstance(env, dict) else env
        with_versions = self._hash(env, files)
        return with_versions if with_versions == (known or self.attributes.get("digest")) else self._hash(played, files)

    def _hash(self, env: Any, files: Sequence[bytes]) -> str:
        digest = hashlib.sha256()
        attributes = {**self.attributes, "env": env}
        for key in ("version", "ticks", "env", "player", "seed", "palette"):
            digest.update(json.dumps([key, attributes.get(key)], sort_keys=True).encode())
        for line in files:
            digest.update(line)
        return digest.hexdigest()

    @property
    def verified(self) -> bool:
        """Whether the replay certificate was obtained, for what the session's digest covers."""
        return self.complete and self.attributes.get("verified") == self.attributes.get("digest") is not None

    def certify(self, digest: str) -> None:
        """Note that the replay certificate was obtained for what `digest` covers. Raises OSError or SessionError."""
        self._guard(lambda: self._group.set_attributes(verified=digest))
        self.attributes = self._group.attributes

    def annotate(
        self, *, title: str, notes: str, tags: Sequence[str], excluded: Array, labels: Array, spans: Sequence[range]
    ) -> None:
        """Store what is thought of the session; `recorder.library.edits` checks and locks. Raises OSError or
        SessionError.

        `excluded` bool and `labels` uint8 have a row for every episode that was begun.
        """
        for name, values in (("excluded", excluded), ("label", labels)):
            if not np.array_equal(values, self._read(f"episodes/{name}", (), str(values.dtype), self._episode_rows)):
                self._guard(partial(self._group.set_column, f"episodes/{name}", values))
        changed: dict[str, Any] = {"title": title, "notes": notes, "tags": list(tags)}
        changed["excluded_spans"] = [[span.start, span.stop] for span in spans]
        stored = self.attributes.get("summary")
        if self.complete and isinstance(stored, dict):
            episodes = [
                replace(episode, excluded=bool(excluded[episode.index]), label=LABELS[labels[episode.index]])
                for episode in self.episodes
            ]
            changed["summary"] = stored | summed_up(episodes, spans)
        self._guard(lambda: self._group.set_attributes(**changed))
        self.attributes = self._group.attributes

    @property
    def opinion_columns(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint8]]:
        """`excluded` bool and `labels` uint8 (an index into LABELS), a row for every episode that was begun."""
        excluded, labels = (
            self._read(f"episodes/{name}", (), dtype, self._episode_rows)
            for name, dtype in (("excluded", "bool"), ("label", "uint8"))
        )
        return excluded, labels

    def summary(self) -> dict[str, Any]:
        """What a list of sessions shows: {"ticks", "episodes", "total_rewards", "size_bytes", "timing", "labels",
        "learn_ticks"}, the last of which are how many games have each label, and the ticks that training may use.

        It is quick for a complete session.
        """
        stored = self.attributes.get("summary")
        if self.complete and isinstance(stored, dict) and stored.get("ticks") == self._ticks:
            return stored if "learn_ticks" in stored else stored | summed_up(self.episodes, self.excluded_spans)
        return {
            "ticks": self._ticks,
            "episodes": len(self.games),
            "total_rewards": self.games,
            "size_bytes": self.size_bytes,
            "timing": None if self.timing is None else self.timing.to_json(),
            **summed_up(self.episodes, self.excluded_spans),
        }

    def _need_screens(self) -> None:
        if not self.spec.sees_screen:
            raise SessionError(
                f"{self.place} is a session of {self.spec.title}, which stores observation vectors and no screens; "
                "read session.observations"
            )

    def _ticks_of(self, name: str, shape: tuple[int, ...] | None, dtype: str) -> Array:
        return self._read(name, shape, dtype, self._ticks)

    def _read(self, name: str, shape: tuple[int, ...] | None, dtype: str, rows: int | None) -> Array:
        return self._guard(lambda: read(self._group.array(name, shape, dtype, rows), slice(0, rows)))

    def _checked(self, name: str, shape: tuple[int, ...], dtype: str, rows: int | None) -> Any:
        return self._guard(lambda: self._group.array(name, shape, dtype, rows))

    def _guard(self, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except StoreError as error:
            raise SessionError(f"{self.place}: {error}; the session is damaged") from None


def _count(attributes: dict[str, Any], name: str) -> int:
    count = attributes.get(name)
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MAX_ROWS:
        raise StoreError(f"its number of {name} is {count!r}")
    return count
