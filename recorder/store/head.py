"""The main attributes of a session, checked before anything else is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from recorder.agents.agent import PLAYER_KINDS
from recorder.envs.registry import stored_spec
from recorder.envs.spec import EnvSpec
from recorder.errors import NewerVersionError, check_version
from recorder.store.schema import FORMAT, FORMAT_VERSION
from recorder.store.untrusted import StoreError
from recorder.store.zarr_store import MAX_ROWS
from recorder.system.records import RecordError, read, said

_Rows = Annotated[int, Meta(ge=0, le=MAX_ROWS)]


class SessionAttributes(msgspec.Struct, frozen=True):
    """The attributes of a session.

    Those of a certain type are checked when it is opened. The others are looked at where they are used, so that nothing
    that was only noted about a session keeps it from being opened.
    """

    format: Annotated[str, said("`twinplay-session`")]
    version: Annotated[int, said("1")]
    ticks: Annotated[_Rows, said("valid rows of the arrays with one row per tick")]
    episodes: Annotated[_Rows, said("valid rows of `episodes/`")]
    keys: Annotated[_Rows, said("valid rows of `keys/`")]
    finals: Annotated[_Rows, said("valid rows of the `final_` arrays")]
    env: Annotated[Any, said("the environment, below", shown="table")]
    player: Annotated[
        dict[str, Any],
        said(
            "`kind` (`person`, `scripted`, `policy`, `random` or `mixed`), `name`, `params`, and `title` if there is "
            "one"
        ),
    ]
    state: Annotated[Any, said("`recording`, or `complete` once the recorder has ended", shown="text")] = ""
    seed: Annotated[int, said("seed of the recording")] = 0
    created: Annotated[Any, said("date and time, ISO 8601, UTC", shown="text")] = ""
    clock: Annotated[
        Any,
        said(
            "`monotonic_ns` and `unix_ns` of the same moment: relates `time_ns` to the time of day",
            shown="table",
            absent="unknown",
        ),
    ] = None
    palette: Annotated[
        Any,
        said(
            "colours of the palette indices in `screen`",
            shown="256 lists of [R, G, B]",
            absent="required with palette indices",
        ),
    ] = None
    key_names: Annotated[Any, said("what was printed on a key, by key code", shown="table of texts")] = {}
    outcomes: Annotated[
        Any, said("names of the values of `episodes/outcome`", shown="list of texts", absent="the list below")
    ] = ()
    last_game: Annotated[
        Any,
        said(
            "until the recorder has ended: `first`, and the values of each column of `episodes/` from that row on; "
            "these hold, as the recorder may be interrupted while it replaces the columns",
            shown="table of lists",
            absent="the columns hold",
        ),
    ] = None
    digest: Annotated[
        Any, said("SHA-256 of what was played (not of notes and labels)", shown="text", absent="computed")
    ] = None
    summary: Annotated[
        Any, said("figures for lists: ticks, scores, size, timing", shown="table", absent="computed")
    ] = None
    latency: Annotated[
        Any,
        said("from a key to the picture, measured while a person played; below", shown="table", absent="not measured"),
    ] = None
    steps_hz: Annotated[
        Any,
        said(
            "the game waited for the player, and played so many ticks a second while a key was held",
            shown="number",
            absent="real time",
        ),
    ] = None
    shared_control: Annotated[
        Any,
        said(
            "a clone and its supervisor played together: `hand_back_ticks` and the names of the values of `handover`",
            shown="table",
            absent="one player",
        ),
    ] = None
    race: Annotated[
        Any,
        said(
            "a person raced a twin in the same game: who it was, and the scores; below",
            shown="table",
            absent="no race",
        ),
    ] = None
    verified: Annotated[
        Any,
        said("the digest for which a complete simulation gave the same ticks", shown="text", absent="not verified"),
    ] = None
    title: Annotated[Any, said("what somebody calls the recording", shown="text")] = ""
    notes: Annotated[Any, said("what somebody wrote about the recording", shown="text")] = ""
    tags: Annotated[Any, said("what somebody finds it by", shown="list of texts")] = ()
    excluded_spans: Annotated[Any, said("ticks that are left out of training", shown="list of [start, stop)")] = ()
    made_of: Annotated[
        Any,
        said("the recordings that it was merged or split from", shown="list of tables", absent="not merged"),
    ] = ()
    origins: Annotated[
        Any,
        said(
            "the stretches of original recordings that its ticks come from, in order: digest, first tick, and tick "
            "after the last",
            shown="list of [text, start, stop)",
            absent="an original",
        ),
    ] = ()
    forked_from: Annotated[
        Any,
        said(
            "where the lead-in of each forked game comes from, in their order, below",
            shown="list of tables",
            absent="no game is forked",
        ),
    ] = ()


@dataclass(frozen=True)
class Head:
    """`ticks`, `episodes`, `keys` and `finals` are the numbers of committed rows; readers trim arrays to them."""

    spec: EnvSpec
    ticks: int
    episodes: int
    keys: int
    finals: int
    player: dict[str, Any]
    seed: int
    created: str
    complete: bool


def read_head(attributes: Mapping[str, Any]) -> Head:
    """The head from these attributes.

    Raises NewerVersionError for a session of a later format, StoreError for anything that is not a session.
    """
    if attributes.get("format") != FORMAT:
        raise StoreError("it is a Zarr group, but not one that Twinplay recorded")
    try:
        check_version(attributes.get("version"), FORMAT_VERSION)
        spec = stored_spec(attributes.get("env"))
    except NewerVersionError:
        raise
    except ValueError as error:
        raise StoreError(str(error)) from error
    try:
        found = read(SessionAttributes, attributes)
    except RecordError as error:
        raise StoreError(str(error)) from None
    if found.player.get("kind") not in PLAYER_KINDS:
        raise StoreError(f"it names no player of a known kind (found {str(found.player)[:80]})")
    return Head(
        spec,
        found.ticks,
        found.episodes,
        found.keys,
        found.finals,
        found.player,
        seed=found.seed,
        created=str(found.created),
        complete=found.state == "complete",
    )
