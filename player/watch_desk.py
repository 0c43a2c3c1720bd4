"""What the Watch page knows and does, without Qt.

              open()            first picture          toggle()
    EMPTY ─────────▶ OPENING ─────────▶ PAUSED ◀──────────────▶ PLAYING
      any error ──▶ FAILED                 ▲      restart()        │ every side is over
                                           └──────── OVER ◀────────┘

The duel lives in a process of its own. One request is under way at a time and asks for as many ticks as are due by the
clock, so that a slow machine shows fewer pictures at the same speed instead of falling behind.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from player.scene import KIND_TITLES, DuelFrame, score_text
from recorder.errors import SessionError, TwinplayError
from recorder.jobs import Service, start_thread
from recorder.library import Library, SessionSummary, summarize
from recorder.session import Session

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_CATCH_UP_TICKS = 30  # thought about in one go: about 20 ms
_MAX_DEBT_S = 0.25  # further behind than this, the game slows down rather than jumps


class WatchState(Enum):
    """Drawn in the module's docstring."""

    EMPTY = "empty"
    OPENING = "opening"
    PAUSED = "paused"
    PLAYING = "playing"
    OVER = "over"
    FAILED = "failed"


class ServiceLike(Protocol):
    """What the desk needs of recorder.jobs.Service."""

    def request(self, method: str, *args: Any) -> None: ...
    def poll(self) -> list[tuple[str, Any]]: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Choice:
    """One entry of a list: `value` is what it stands for, None for "none"."""

    label: str
    value: Any
    env: str = ""


def session_label(summary: SessionSummary) -> str:
    """One line for a list: environment, who played, when, best score."""
    kind = str(summary.player.get("kind", ""))
    name = str(summary.player.get("name", "")).strip()
    who = f"{name} (person)" if kind == "person" and name else KIND_TITLES.get(kind, kind)
    best = "" if summary.best_score is None else f" · best {score_text(summary.best_score)}"
    return f"{summary.env_title} · {who} · {summary.created[:16].replace('T', ' ')}{best}"


class WatchDesk:
    """See the module's docstring. `now` is a monotonic clock in seconds."""

    def __init__(
        self,
        library: Library,
        *,
        start_service: Callable[[], ServiceLike] = lambda: Service("player.duel:Booth", {}),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.library = library
        self.state = WatchState.EMPTY
        self.frame: DuelFrame | None = None
        self.error = ""
        self.speed = 1.0
        self.session: Path | None = None
        self.episode: int | None = None
        self.policy: Path | None = None
        self.sessions: list[Choice] = []
        self.episodes: list[Choice] = []
        self.policies: list[Choice] = []
        self._start_service = start_service
        self._now = now
        self._service: ServiceLike | None = None
        self._awaiting: str = ""  # the one request whose answer counts; earlier ones are passed over
        self._stale = 0
        self._debt = 0.0
        self._last = 0.0
        self._play_when_open = False
        self._wanted: int | None = None  # the tick to go to, once the answer under way has come
        self._retired: list[Any] = []  # threads of recorder.jobs in which a worker is being closed

    def refresh(self) -> None:
        """Read the library again; what was chosen stays chosen where it still exists."""
        try:
            found = [s for s in self.library.sessions() if s.state != "unreadable" and s.episodes]
            self.policies = [
                Choice(path.stem, path, path.stem.rpartition("-")[2]) for path in newest_policies(self.library)
            ]
        except (TwinplayError, OSError) as error:
            self._fail(str(error))
            return
        self.sessions = [Choice(session_label(summary), summary.path, summary.env) for summary in found]
        for chosen in (self.policy,):
            if chosen is not None and chosen.exists() and chosen not in [c.value for c in self.policies]:
                self.policies.append(Choice(chosen.stem, chosen))
        if self.session is not None and not self.session.exists():
            self.session = None
        if self.session is not None and self.session not in [c.value for c in self.sessions]:
            summary = summarize(self.session)
            self.sessions.append(Choice(session_label(summary), self.session, summary.env))
        if self.policy is not None and not self.policy.exists():
            self.policy = None

    @property
    def nothing_to_watch(self) -> str:
        """What is missing before anything can be watched: "sessions", "policies" or ""."""
        if not self.sessions and not self.policies:
            return "sessions"
        return "" if self.policies else "policies"

    def choose_defaults(self) -> None:
        """Without a choice yet: the newest policy, and the newest session of its environment."""
        if self.session is not None or self.policy is not None:
            return
        policy = self.policies[0] if self.policies else None
        match = [c for c in self.sessions if policy is None or not policy.env or c.env == policy.env]
        self.policy = policy.value if policy else None
        self.set_session(match[0].value if match else None)

    def set_session(self, path: Path | None, episode: int | None = None) -> None:
        """Choose a session (None: the policy alone) and an episode of it (None: the best)."""
        self.session, self.episode, self.episodes = path, episode, []
        if path is None:
            return
        try:
            episodes = Session.open(path).openings
        except SessionError as error:
            self._fail(str(error))
            return
        best = max(episodes, key=lambda e: e.total_reward, default=None)
        self.episodes = [
            Choice(f"Episode {e.index + 1} · {score_text(e.total_reward)}{' (best)' if e is best else ''}", e.index)
            for e in episodes
        ]
        if self.episode is None and best is not None:
            self.episode = best.index

    def open(self, *, play: bool = False) -> None:
        """Show what is chosen from its start; with `play`, begin at once."""
        self.error, self.frame = "", None
        if self.session is None and self.policy is None:
            self.state = WatchState.EMPTY
            return
        self.state = WatchState.OPENING
        self._play_when_open = play
        session = None if self.session is None else str(self.session)
        policy = None if self.policy is None else str(self.policy)
        self._ask("open", session, policy, self.episode)

    def toggle(self) -> None:
        """Play or pause; after the end, start again."""
        if self.state is WatchState.PLAYING:
            self.state = WatchState.PAUSED
        elif self.state is WatchState.PAUSED:
            self._play()
        elif self.state is WatchState.OVER:
            self.restart()
        elif self.state is WatchState.FAILED:
            self.open(play=True)

    def restart(self) -> None:
        """Back to the first tick, and play."""
        if self.state in (WatchState.PAUSED, WatchState.PLAYING, WatchState.OVER):
            self._ask("restart")
            self._play()

    def seek(self, tick: int) -> None:
        """Go to a tick and hold there; of many wishes in a row only the last one counts."""
        if self.state in (WatchState.PAUSED, WatchState.PLAYING, WatchState.OVER):
            self.state = WatchState.PAUSED
            self._wanted = tick
            self._fulfil()

    def step(self, ticks: int) -> None:
        """So many ticks on, or back."""
        if self.frame is not None:
            start = self.frame.tick if self._wanted is None else self._wanted
            self.seek(max(0, start + ticks))

    def faster(self, steps: int = 1) -> None:
        """The next higher speed, or a lower one for negative `steps`."""
        index = min(max(SPEEDS.index(self.speed) + steps, 0), len(SPEEDS) - 1)
        self.set_speed(SPEEDS[index])

    def set_speed(self, speed: float) -> None:
        """Play at one of SPEEDS times the environment's own rate."""
        if speed not in SPEEDS:
            raise ValueError(f"speed {speed} is not one of {SPEEDS}")
        self._accrue()
        self.speed = speed

    def poll(self) -> bool:
        """Collect what arrived and ask for what is due; call it often. Returns whether there is something new."""
        if self._service is None:
            return False
        before = self.state
        try:
            fresh = self._collect()
            self._fulfil()
            if self.frame is not None and self.frame.behind and not self._awaiting:
                self._ask("catch_up", _CATCH_UP_TICKS)
            elif self.state is WatchState.PLAYING:
                self._advance()
        except TwinplayError as error:
            self._fail(str(error))
            self._retire()
            return True
        return fresh or self.state is not before

    def close(self) -> None:
        """Stop watching and wait for the worker to end."""
        self._retire()
        for thread in self._retired:
            thread.join(10)
        self._retired.clear()
        self.state, self.frame = WatchState.EMPTY, None

    def _collect(self) -> bool:
        fresh = False
        assert self._service is not None
        for _, result in self._service.poll():
            if self._stale:
                self._stale -= 1
                continue
            self._awaiting = ""
            self.frame, fresh = result, True
            if self.state is WatchState.OPENING:
                self.state = WatchState.PAUSED
                if self._play_when_open:
                    self._play()
            if result.done and self.state is WatchState.PLAYING:
                self.state = WatchState.OVER
        return fresh

    def _fulfil(self) -> None:
        if self._wanted is not None and not self._awaiting:
            tick, self._wanted = self._wanted, None
            self._ask("seek", tick)

    def _play(self) -> None:
        self.state = WatchState.PLAYING
        self._debt, self._last = 0.0, self._now()

    def _accrue(self) -> None:
        now = self._now()
        if self.frame is not None and self.state is WatchState.PLAYING:
            rate = self.frame.rate_hz * self.speed
            self._debt = min(self._debt + (now - self._last) * rate, rate * _MAX_DEBT_S)
        self._last = now

    def _advance(self) -> None:
        self._accrue()
        due = int(self._debt)
        if due and not self._awaiting:
            self._debt -= due
            self._ask("tick", due)

    def _ask(self, method: str, *args: Any) -> None:
        if self._service is None:
            self._service = self._start_service()
            self._stale = 0
        elif self._awaiting:
            self._stale += 1
        self._awaiting = method
        try:
            self._service.request(method, *args)
        except TwinplayError as error:
            self._fail(str(error))
            self._retire()

    def _fail(self, sentence: str) -> None:
        self.state, self.error = WatchState.FAILED, sentence

    def _retire(self) -> None:
        """Let the worker go without waiting for it: it may be in the middle of a long answer."""
        if self._service is not None:
            self._retired = [thread for thread in self._retired if thread.is_alive()]
            self._retired.append(start_thread(self._service.close, "retire-watch-worker"))
        self._service, self._awaiting, self._stale, self._wanted = None, "", 0, None


def newest_policies(library: Library) -> list[Path]:
    """The policies of a library, the newest first."""
    return sorted(library.policies.glob("*.safetensors"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
