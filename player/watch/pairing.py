"""What a library has to watch, and what is chosen for the left and the right side.

left    a recording (and a game of it), another clone, or nothing
right   a clone, or nothing
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from player.watch.frames import score_text
from recorder.errors import SessionError, TwinplayError
from recorder.library.access import outputs_of
from recorder.library.library import Library
from recorder.library.names import default_name, session_name
from recorder.library.session_summary import SessionSummary, summarize
from recorder.store.places import on_this_computer
from recorder.store.session import Session
from recorder.system.texts import duration_text, local_time
from trainer.runs.policy_library import SUFFIX, Policies, PolicySummary


@dataclass(frozen=True)
class Choice:
    """One entry of a list: `value` is what it stands for, None for "none". `env` is empty if unknown."""

    label: str
    value: Any
    env: str = ""


def session_label(summary: SessionSummary) -> str:
    """One line for a list: its title if it has one, who played and how well, the environment, and when."""
    who = default_name([summary.player], summary.best_score, "") if summary.player else ""
    return " · ".join(filter(None, (summary.title, who, summary.env_title, local_time(summary.created))))


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
        folder = on_this_computer(library.place)
        self._kept = Policies(folder, outputs_of(folder))
        self.games: list[Choice] = []
        self.error = ""
        self._sessions: dict[Path, tuple[str, str]] = {}  # the digest and the time of those that were listed
        self._titles: dict[Path, str] = {}  # of the same
        self._lost: dict[str, Path] = {}  # what was chosen and has gone, by side; it is chosen again once it is back

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
        """Read the library again; a choice that was renamed is followed, one that has gone is told in `error`."""
        self.error = ""
        try:
            found = [s for s in self.library.sessions() if s.state != "unreadable" and s.episodes]
            self.policies = [_policy_choice(summary) for summary in self._kept.all()]
        except (TwinplayError, OSError) as error:
            self.error = str(error)
            return
        self.sessions = [Choice(session_label(summary), summary.path, summary.env) for summary in found]
        self._titles |= {summary.path: session_name(summary) for summary in found}
        self._follow({summary.path: (summary.digest, summary.created) for summary in found if summary.digest})
        self.alike = self.alike and bool(self.play_choices)
        for path in (self.policy, self.against):
            if path is not None and path not in [c.value for c in self.policies]:
                self.policies.append(_policy_choice(self._kept.summary(path)))
        if self.session is not None and self.session not in [c.value for c in self.sessions]:
            summary = summarize(self.session)
            self.sessions.append(Choice(session_label(summary), self.session, summary.env))

    def forget_lost(self) -> None:
        """Somebody chooses anew: what has gone is not missed any longer."""
        self._lost.clear()

    def _follow(self, sessions: dict[Path, tuple[str, str]]) -> None:
        """Find what is chosen under the name that it has now; `sessions` are those that are listed."""
        for side in ("session", "policy", "against"):
            path: Path | None = getattr(self, side) or self._lost.pop(side, None)
            if path is not None and not path.exists():
                now = self._renamed(path, sessions)
                if now is None:
                    self._lost[side] = path
                path = now
            setattr(self, side, path)
        self._sessions |= sessions
        if self._lost:
            names = " and ".join(f"“{self._title(path)}”" for path in self._lost.values())
            self.error = f"{names} was deleted or moved. Choose another above, or restore it."

    def _title(self, path: Path) -> str:
        """What something that has gone was called."""
        return self._kept.title_of(path) if path.suffix == SUFFIX else self._titles.get(path) or path.stem

    def _renamed(self, path: Path, sessions: dict[Path, tuple[str, str]]) -> Path | None:
        if path.suffix == SUFFIX:
            return self._kept.renamed(path)
        known = self._sessions.get(path)
        return next((each for each, facts in sessions.items() if facts == known), None)

    @property
    def play_choices(self) -> list[Choice]:
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
    def play_choices_text(self) -> str:
        """How the two ways compare, in two sentences, a line each."""
        summary = None if self.policy is None else self._kept.summary(self.policy)
        if summary is None or summary.alike is None:
            return ""
        alike, scores = summary.alike, summary.demonstrator_scores
        length = f" of at most {duration_text(summary.test_seconds)}" if summary.test_seconds else ""
        player = (
            f"the player {score_text(fmean(scores))}"
            if scores
            else f"the player in whole games {score_text(alike.demonstrator)}"
        )
        return (
            f"In test games{length} “Its best” scores {score_text(summary.score or 0.0)}, “Like its player” "
            f"{score_text(alike.score)}, {player}.\nA classifier tells “Like its player” from the player in "
            f"{100 * alike.classifier:.0f} % of clips (50 % is chance)."
        )

    @property
    def test_games_text(self) -> str:
        """Why the scores of the chosen clones elsewhere in the window differ from those in whole games; or empty."""
        paths = dict.fromkeys(path for path in (self.against, self.policy) if path is not None)
        shown = [self._kept.summary(path) for path in paths]
        return " ".join(
            f"On the Train page {each.name} has {score_text(each.score)}: its test games end after "
            f"{duration_text(each.test_seconds)} at most, these games when they are over."
            for each in shown
            if each.score is not None and each.test_seconds
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
        self.forget_lost()
        self.error = ""
        self.policy, self.alike = path, False
        env = self._env(path)
        if path is not None and env and self._env(self.left) not in ("", env):
            self.set_session(self.newest_session(path))

    def set_session(self, path: Path | None, game: int | None = None) -> None:
        """Choose a session for the left side, and a game of it by its number (None: the best)."""
        self.forget_lost()
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
    origin = f"goes on from {policy.goes_on_from}" if policy.goes_on_from else ""
    return Choice(" · ".join(filter(None, (policy.title, origin))), policy.path, policy.env)
