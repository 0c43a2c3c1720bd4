"""A recording session on disk: what lies where, and what it means (`recorder.store.session` reads it).

    2026-11-21T10-14-03-breakout.zarr/     one Zarr v3 group; plain zarr.open_group reads it
      attributes        format, version; ticks, episodes, keys, finals (committed: trim the arrays to it); state
                        ("recording" or "complete"); env (EnvSpec); player {kind, name, params, title if any}; seed;
                        created (UTC); clock {monotonic_ns, unix_ns} of one moment; palette (256 RGB); key_names;
                        digest; summary; verified (the digest that the replay certificate was obtained for); title,
                        notes, tags, excluded_spans ([[start, stop), …] in ticks): what is thought of it (see
                        recorder.library.edits)
      screen            (T, 210, 160) uint8   palette index                 [environments with a screen]
      observation       (T, 11) float64       what the player saw           [the others]
      state             (T, S) float64        MuJoCo's physics and warm-start state
      action            (T,) uint8  |  (T, 3) float32
      reward            (T,) float64
      terminated        (T,) bool             the game ended by itself
      truncated         (T,) bool             an episode ended here otherwise: stopped, rewound, at a limit
      lives             (T,) uint8
      time_ns           (T,) int64            monotonic clock when the action was chosen
      due_ns            (T,) int64            when the tick was due, or 0 where no clock set the pace
      speed             (T,) uint8            percent of real time; 0 where no clock set the pace
      episodes/         one row each: start, stop (ticks), seed, total_reward, outcome, parent, parent_tick, excluded,
                        label
      final_screen | final_observation, final_state   (E, …)   the moment that closes each finished episode
      keys/             raw key transitions: time_ns int64, code int32, down bool; `key_names` says what was printed on
                        a key when the recording began. A code is a place on the keyboard (2**30 plus the key's USB HID
                        usage, see recorder.agents.keyboard), Qt's code for keys that mean the same on every layout
                        (and, in earlier recordings, for all), or, below zero, a controller's input
                        (recorder.agents.gamepad)

A session is these arrays and their `zarr.json`, and nothing else that lies in the folder: what a file manager, a
network drive or an editor leaves there (.DS_Store, ._zarr.json, @eaDir, …) is neither read nor hashed, copied or
counted.

Alignment: `screen[i]` (or `observation[i]`) is what the player saw when choosing `action[i]`; `reward[i]`,
`terminated[i]`, `truncated[i]` and `lives[i]` are what that action brought. What came after the last action of
episode k is `final_screen[k]`.

A rewind appends: the episode is cut at the tick gone back to (outcome "rewound"), what was played after it becomes a
segment of its own, excluded unless it was to be kept, and play goes on in a third; both name the first as `parent`, and
its end as `parent_tick`. A segment's `total_reward` is what was earned in it; `Session.games` adds them up.

The last tick of every episode is `terminated` or `truncated`, so that what knows no table of episodes parts them right.

A session whose recorder was killed has state "recording" and no live lock; its last episode has no stop, and reads as
ending at `ticks` with outcome "interrupted" and `truncated` there. Nothing needs repair. Sessions of earlier versions
lack `truncated` where a game was stopped or rewound; `Session.truncated` supplies it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from recorder.store.untrusted import METADATA

FORMAT = "twinplay-session"
FORMAT_VERSION = 1
CHUNK_TICKS = 60  # one second of Breakout: 37 bytes a screen; half of it costs 50
SCALAR_CHUNK = 8_192  # scalars in 60-tick chunks would be thousands of files per half hour
OUTCOMES = ("playing", "game over", "time limit", "stalled", "stopped", "rewound")
LABELS = ("", "success", "failure")


@dataclass(frozen=True)
class Column:
    """One scalar array of a session: rows of `shape` and `dtype`."""

    name: str
    dtype: str


TICK_COLUMNS = (
    Column("reward", "float64"),
    Column("terminated", "bool"),
    Column("truncated", "bool"),
    Column("lives", "uint8"),
    Column("time_ns", "int64"),
    Column("due_ns", "int64"),
    Column("speed", "uint8"),
)
EPISODE_COLUMNS = (
    Column("start", "int64"),
    Column("stop", "int64"),
    Column("seed", "int64"),
    Column("total_reward", "float64"),
    Column("outcome", "uint8"),
    Column("parent", "int32"),
    Column("parent_tick", "int64"),
    Column("excluded", "bool"),
    Column("label", "uint8"),
)
OPINION_COLUMNS = ("excluded", "label")  # of episodes: what is thought of them, no part of what was played
KEY_COLUMNS = (Column("time_ns", "int64"), Column("code", "int32"), Column("down", "bool"))
KEY_DTYPE = np.dtype([(column.name, column.dtype) for column in KEY_COLUMNS])
MOMENT_ARRAYS = ("screen", "observation", "state")  # what `Game.storage` may name
PART = ".part"  # ends the name of a file that is to take another's place
_TABLES = {"episodes": EPISODE_COLUMNS, "keys": KEY_COLUMNS}
_ARRAYS = {
    *("action", *(column.name for column in TICK_COLUMNS)),
    *(f"{prefix}{name}" for name in MOMENT_ARRAYS for prefix in ("", "final_")),
    *(f"{table}/{column.name}" for table, columns in _TABLES.items() for column in columns),
}
FOLDERS = frozenset({"", *_TABLES, *_ARRAYS})  # of a session, from its top
_CHUNK = re.compile(r"c(\.[0-9]{1,9})+")


def is_named(file: str) -> bool:
    """Whether a file, named from the session's top with slashes, is one of a session.

    Those are the metadata and the chunks of the arrays drawn above, and a part that was to replace one of them. Other
    files are none of the session's: file managers, network drives and editors leave theirs everywhere.
    """
    folder, _, name = file.removesuffix(PART).rpartition("/")
    return folder in FOLDERS and (name == METADATA or (folder in _ARRAYS and _CHUNK.fullmatch(name) is not None))


@dataclass(frozen=True)
class Episode:
    """Ticks [start, stop) of a session. `parent` and `parent_tick` name where a rewound episode branched off, or -1.

    `label` is what the player thought of it: "success", "failure" or nothing.
    """

    index: int
    start: int
    stop: int
    seed: int
    total_reward: float
    outcome: str
    excluded: bool = False
    parent: int = -1
    parent_tick: int = -1
    label: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.stop:
            raise ValueError(f"episode {self.index} runs from tick {self.start} to {self.stop}")

    def __len__(self) -> int:
        return self.stop - self.start
