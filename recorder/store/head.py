"""The main attributes of a session, checked before anything else is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recorder.agents.agent import PLAYER_KINDS
from recorder.envs.registry import stored_spec
from recorder.envs.spec import EnvSpec
from recorder.errors import NewerVersionError, check_version
from recorder.store.schema import FORMAT, FORMAT_VERSION
from recorder.store.untrusted import StoreError
from recorder.store.zarr_store import MAX_ROWS


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
    ticks, episodes, keys, finals = (_count(attributes, of) for of in ("ticks", "episodes", "keys", "finals"))
    player = attributes.get("player")
    if not isinstance(player, dict) or player.get("kind") not in PLAYER_KINDS:
        raise StoreError(f"it names no player of a known kind (found {str(player)[:80]})")
    return Head(
        spec,
        ticks,
        episodes,
        keys,
        finals,
        player,
        seed=attributes.get("seed", 0),
        created=str(attributes.get("created", "")),
        complete=attributes.get("state") == "complete",
    )


def _count(attributes: Mapping[str, Any], name: str) -> int:
    count = attributes.get(name)
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MAX_ROWS:
        raise StoreError(f"its number of {name} is {count!r}")
    return count
