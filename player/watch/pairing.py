"""What a library has to watch, and what is chosen for the left and the right side.

left    a recording (and a game of it), another clone, or nothing
right   a clone, or nothing
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from player.watch.frames import score_text
from recorder.errors import SessionError, TwinplayError
from recorder.library.library import Library, SessionSummary, local_time, player_label, summarize
from recorder.store.session import Session
from trainer.runs.policy_library import SUFFIX, Policies, PolicySummary


@dataclass(frozen=True)
class Choice:
    """One entry of a list: `value` is what it stands for, None for "none". `env` is empty if unknown."""

    label: str
    value: Any
    env: str = ""


def session_label(summary: SessionSummary) -> str:
    """One line for a list: environment, its title if it has one, who played, when, best score."""
    best = "" if summary.best_score is None else f"best {score_text(summary.best_score)}"
    when = local_time(summary.created)
    return " · ".join(filter(None, (summary.title, summary.env_title, player_label(summary.player), when, best)))


class Pairing:
    """See the module's docstring. `error` is a sentence if something could not be read."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.session: Path | None = None
        self.game: int | None = None
        self.against: Path | None = None
        self.policy: Path | None = None
        self.alike = False  # the one on the right plays like its demonstrator, not its best
        self.sessions: list[Choice] = []
        self.policies: list[Choice] = []
        self._kept = Policies(library.path)
        self.games: list[Choice] = []
        self.error = ""

    @property
    def left(self) -> Path | None:
        """What is chosen for the left side."""
        return self.session or self.against

    @property
    def chosen(self) -> bool:
        """Whether there is anything to watch."""
        return self.left is not None or self.policy is not None

    @property
    def nothing_to_watch(self) -> str:
        """What is missing before anything can be watched: "sessions", "policies" or ""."""
        if not self.sessions and not self.policies:
            return "sessions"
        return "" if self.policies else "policies"

    def refresh(self) -> None:
        """Read the library again; choices are kept if they still exist."""
        self.error = ""
        try:
            found = [s for s in self.library.sessions() if s.state != "unreadable" and s.episodes]
            self.policies = [_policy_choice(summary) for summary in self._kept.all()]
        except (TwinplayError, OSError) as error:
            self.error = str(error)
            return
        self.sessions = [Choice(session_label(summary), summary.path, summary.env) for summary in found]
        self.session, self.policy, self.against = (
            path if path is not None and path.exists() else None for path in (self.session, self.policy, self.against)
        )
        self.alike = self.alike and bool(self.manners)
        for path in (self.policy, self.against):
            if path is not None and path not in [c.value for c in self.policies]:
                self.policies.append(_policy_choice(self._kept.summary(path)))
        if self.session is not None and self.session not in [c.value for c in self.sessions]:
            summary = summarize(self.session)
            self.sessions.append(Choice(session_label(summary), self.session, summary.env))

    @property
    def manners(self) -> list[Choice]:
        """The ways in which the clone on the right can play; empty if there is only one. The value is `alike`."""
        summary = None if self.policy is None else self._kept.summary(self.policy)
        if summary is None or summary.alike is None:
            return []
        best = "" if summary.score is None else f" · {score_text(summary.score)}"
        return [
            Choice(f"Its best{best}", False),
            Choice(f"Like its player · {score_text(summary.alike.score)}", True),
        ]

    @property
    def manners_text(self) -> str:
        """How the two ways compare, in a sentence or two."""
        summary = None if self.policy is None else self._kept.summary(self.policy)
        if summary is None or summary.alike is None:
            return ""
        alike = summary.alike
        return (
            f"“Its best” scores {score_text(summary.score or 0.0)} in test games. “Like its player” scores "
            f"{score_text(alike.score)} (the player: {score_text(alike.demonstrator)}); a classifier "
            f"tells the two apart in {100 * alike.classifier:.0f} % of clips (50 % is chance)."
        )

    def choose_defaults(self) -> None:
        """Choose the newest usable policy and the newest session of its environment, if nothing is chosen yet."""
        if self.chosen:
            return
        policy = next((choice for choice in self.policies if choice.env), None)
        if policy is None:
            self.set_session(self.sessions[0].value if self.sessions else None)
        else:
            self.policy, self.alike = policy.value, False
            self.set_session(self.newest_session(policy.value))

    def newest_session(self, policy: Path) -> Path | None:
        """The newest session of a policy's environment."""
        env = self._env(policy)
        return next((choice.value for choice in self.sessions if choice.env == env), None)

    def set_left(self, path: Path | None, game: int | None = None) -> None:
        """Choose a session and a game of it (None: the best), another policy, or nothing, for the left side.

        A clone of another environment on the right is replaced by the newest one that fits.
        """
        if path is not None and path.suffix == SUFFIX:
            self.set_session(None)
            self.against = path
        else:
            self.set_session(path, game)
        env = self._env(path)
        if env and self._env(self.policy) not in ("", env):
            self.policy = next((choice.value for choice in self.policies if choice.env == env), None)
            self.alike = False

    def set_right(self, path: Path | None) -> None:
        """Choose a policy for the right side; a left side of another environment is replaced by a session that fits."""
        self.policy, self.alike = path, False
        env = self._env(path)
        if path is not None and env and self._env(self.left) not in ("", env):
            self.set_session(self.newest_session(path))

    def set_session(self, path: Path | None, game: int | None = None) -> None:
        """Choose a session for the left side, and a game of it by its number (None: the best)."""
        self.session, self.game, self.games, self.against, self.error = path, game, [], None, ""
        if path is None:
            return
        try:
            games = Session.open(path).recorded_games
        except SessionError as error:
            self.error = str(error)
            return
        best = max(games, key=lambda each: each.score, default=None)
        self.games = [
            Choice(f"Game {each.number} · {score_text(each.score)}{' (best)' if each is best else ''}", each.number)
            for each in games
        ]
        if self.game is None and best is not None:
            self.game = best.number

    def _env(self, path: Path | None) -> str:
        """The environment of a session or a policy; empty if it cannot be read."""
        if path is None:
            return ""
        known = next((choice.env for choice in self.sessions if choice.value == path), None)
        if known is not None:
            return known
        return self._kept.summary(path).env if path.suffix == SUFFIX else summarize(path).env


def _policy_choice(policy: PolicySummary) -> Choice:
    return Choice(policy.title, policy.path, policy.env)
