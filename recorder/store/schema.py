"""The layout of a session on disk, and its meaning (`recorder.store.session` reads it).

    2026-11-21T10-14-03-breakout.zarr/     one Zarr v3 group; plain zarr.open_group reads it
      attributes        format, version; ticks, episodes, keys, finals (committed: trim the arrays to it); state
                        ("recording" or "complete"); env (EnvSpec); player {kind, name, params, title if any}; seed;
                        created (UTC); clock {monotonic_ns, unix_ns} of one moment; palette (256 RGB); key_names;
                        digest; summary; shared_control (if a clone and its supervisor played together); race (against
                        a twin, see recorder.store.races); latency (from a key to the picture, see
                        recorder.play.latency); verified (the digest for which a simulation reproduced every tick);
                        title, notes, tags, excluded_spans ([[start, stop), …] in ticks): the user's annotations (see
                        recorder.library.edits)
      screen            (T, H, W) uint8       palette index                 [environments with a screen]
                        (T, H, W, 3) uint8    or RGB, where the screen has any colours
      observation       (T, 11) float64       what the player saw           [the others]
      state             (T, S) float64        MuJoCo's physics and warm-start state
      action            (T,) uint8  |  (T, 3) float32
      reward            (T,) float64
      terminated        (T,) bool             the game ended by its own rules
      truncated         (T,) bool             the episode ended for another reason: stopped, rewound, at a limit
      lives             (T,) uint8
      time_ns           (T,) int64            monotonic clock when the action was chosen
      due_ns            (T,) int64            when the tick was due; 0 if no clock set the pace
      speed             (T,) uint8            percent of real time; 0 if no clock set the pace
      correcting, proposal, proposal_age, handover   (T, …)   only if a clone and its supervisor played together: see
                        recorder.store.corrections
      episodes/         one row each: start, stop (ticks), seed, total_reward, outcome, parent, parent_tick, excluded,
                        label
      final_screen | final_observation, final_state   (E, …)   the moment after the last action of each finished episode
      keys/             raw key transitions: time_ns int64, code int32, down bool; `key_names` has the label of each key
                        at the start of the recording. A code is a position on the keyboard (2**30 plus the key's USB
                        HID usage, see recorder.agents.keyboard), Qt's code for keys that mean the same on every layout
                        (in earlier recordings, for all keys), or, below zero, a controller's input
                        (recorder.agents.gamepad)

A session consists of these arrays and their `zarr.json` files only. Other files in the folder, left by a file manager,
a network drive or an editor (.DS_Store, ._zarr.json, @eaDir, …), are not read, hashed, copied or counted.

Alignment: `screen[i]` (or `observation[i]`) is what the player saw when choosing `action[i]`; `reward[i]`,
`terminated[i]`, `truncated[i]` and `lives[i]` are the result of that action. The screen after the last action of
episode k is `final_screen[k]`.

A rewind deletes nothing. The episode ends at the tick to which the player went back (outcome "rewound"). The undone
ticks become a separate segment, excluded unless they are to be kept, and play continues in a third one; both name the
first as `parent` and its end as `parent_tick`. A segment's `total_reward` is the reward in that segment;
`Session.scores` adds them up.

A forked game, one that plays on from a moment of an earlier game, begins with a lead-in: a segment with the earlier
game's actions and what they led to (outcome "lead-in", excluded, and never learned from). Its own play is a second
segment, whose `parent` is the lead-in, as after a rewind. The attribute `forked_from` has the origin of each lead-in,
in order (recorder.store.origin).

The last tick of every episode is `terminated` or `truncated`, so that tools that do not read the table of episodes can
still separate them. A session whose recorder was killed has state "recording" and no held lock; its last episode has no
stop and reads as ending at `ticks`, with outcome "interrupted" and `truncated` there. Nothing needs repair: the columns
of `episodes/`, which are replaced one by one, may not belong together in its last game, but the attribute `last_game`
has these rows until the session is complete, or edited.

Sessions of earlier versions lack `truncated` if a game was stopped or rewound; `Session.truncated` supplies it.
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
LEAD_IN = "lead-in"
OUTCOMES = ("playing", "game over", "time limit", "stalled", "stopped", "rewound", LEAD_IN)
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
ANNOTATION_COLUMNS = ("excluded", "label")  # of episodes: the user's annotations, not part of the recorded data
KEY_COLUMNS = (Column("time_ns", "int64"), Column("code", "int32"), Column("down", "bool"))
KEY_DTYPE = np.dtype([(column.name, column.dtype) for column in KEY_COLUMNS])
MOMENT_ARRAYS = ("screen", "observation", "state")  # the names that `Game.storage` may have
PART = ".part"  # ends the name of a file that is about to replace another
_TABLES = {"episodes": EPISODE_COLUMNS, "keys": KEY_COLUMNS}
_ARRAYS = {
    *("action", *(column.name for column in TICK_COLUMNS)),
    *("correcting", "proposal", "proposal_age", "handover"),
    *(f"{prefix}{name}" for name in MOMENT_ARRAYS for prefix in ("", "final_")),
    *(f"{table}/{column.name}" for table, columns in _TABLES.items() for column in columns),
}
FOLDERS = frozenset({"", *_TABLES, *_ARRAYS})  # the folders of a session, relative to it
_CHUNK = re.compile(r"c(\.[0-9]{1,9})+")


def is_named(file: str) -> bool:
    """Whether a file, named relative to the session with slashes, belongs to a session.

    These are the metadata and chunks of the arrays above, and partial files that were about to replace one of them.
    Other files do not belong to it: file managers, network drives and editors leave theirs everywhere.
    """
    folder, _, name = file.removesuffix(PART).rpartition("/")
    return folder in FOLDERS and (name == METADATA or (folder in _ARRAYS and _CHUNK.fullmatch(name) is not None))


@dataclass(frozen=True)
class Episode:
    """Ticks [start, stop) of a session. After a rewind, `parent` and `parent_tick` say where it branched off; else -1.

    `label` is the player's label: "success", "failure" or empty.
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

    @property
    def leads_in(self) -> bool:
        """Whether it is the lead-in of a forked game: the play of an earlier one."""
        return self.outcome == LEAD_IN
