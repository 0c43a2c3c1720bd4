"""One line of a list of sessions: what it says, and how lists are searched and sorted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import asdict

from recorder.agents.agent import PLAYER_KINDS
from recorder.errors import SessionError
from recorder.library.lineage import Origin, names_of_parts, origins_of
from recorder.library.together import together_text
from recorder.play.latency import Latency
from recorder.play.timing import Timing
from recorder.store.locks import is_being_written
from recorder.store.origin import FORKS
from recorder.store.places import Place, on_this_computer
from recorder.store.races import RaceRecord, read_race
from recorder.store.schema import LABELS
from recorder.store.session import Session
from recorder.system.records import plain, read

_Figure = Annotated[float, Meta(ge=-1e300, le=1e300)]  # so a finite one


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
            place=where,
            name=where.name.removesuffix(".zarr"),
            env="",
            env_title="",
            player={},
            created="",
            state="unreadable",
            ticks=0,
            episodes=0,
            seconds=0.0,
            total_rewards=(),
            size_bytes=0,
            problem=str(error),
        )


def _led_ticks(session: Session) -> int:
    return sum(len(each) for each in session.episodes if each.leads_in) if FORKS in session.attributes else 0


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
