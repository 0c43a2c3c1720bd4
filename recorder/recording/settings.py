"""What the Record page remembers between starts; who stores it is somebody else's business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class RecordSettings(Protocol):
    """`take_limit` is a TakeLimit in writing; `name_asked` says whether somebody was ever asked for a name.

    `steps` and `frame_skip` are those of PaceChoice, or nothing, and `hand_back` the seconds and
    `best_of` the games of PartnerChoice.
    `recent_envs` are the names of the environments played last, with commas, the latest first.
    """

    player_name: str
    name_asked: bool
    take_limit: str
    steps: str
    frame_skip: str
    hand_back: str
    best_of: str
    recent_envs: str


@dataclass
class UnsavedSettings:
    """RecordSettings that end with the program."""

    player_name: str = ""
    name_asked: bool = True
    take_limit: str = ""
    steps: str = ""
    frame_skip: str = ""
    hand_back: str = ""
    best_of: str = ""
    recent_envs: str = ""
