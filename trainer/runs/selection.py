"""What is chosen to learn from, and what is doubtful about it: minutes, games, the share of each action.

    sessions ─▶ facts, read by a thread (games, and how often each action was taken in them) ─▶ Selection

Sessions count as soon as they are ticked; what only their actions tell follows when they are read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recorder.envs.registry import get_spec
from recorder.errors import TwinplayError
from recorder.library.copies import first_copy, without_copies
from recorder.library.library import Library
from recorder.library.names import session_name
from recorder.library.players import demonstrator, player_label
from recorder.library.session_summary import SessionSummary
from recorder.store.places import place
from recorder.store.session import Session
from recorder.system.texts import count, local_time
from trainer.data.subsets import ALL, Judged, UsedGames, choose_games, has_tag, in_subset, tag_of, with_tag
from trainer.runs.session_facts import FactsReader, SessionFacts
from trainer.runs.suggestion import suggest

_SHORT_MINUTES = 2.0  # of Breakout; below this a clone rarely learns to return the ball
_LOPSIDED = 0.9  # of all ticks with one action: most of the play then shows nothing


@dataclass(frozen=True)
class Row:
    """One session as the list shows it. `title` is what somebody called it; `problem` is empty where all is well."""

    path: Path
    title: str
    env: str
    env_title: str
    player: str
    is_person: bool
    date: str
    games: int
    minutes: float
    ticks: int
    score: float | None
    problem: str
    summary: SessionSummary

    @classmethod
    def of(cls, summary: SessionSummary) -> Row:
        """The row of a session in the library."""
        problem = summary.problem
        if summary.state == "recording":
            problem = "is being recorded"
        elif not problem and not summary.ticks:
            problem = "is empty"
        return cls(
            summary.path,
            summary.title,
            summary.env,
            summary.env_title or "Unreadable",
            player_label(summary.player),
            summary.player.get("kind") == "person",
            local_time(summary.created),
            summary.episodes,
            summary.seconds / 60,
            summary.ticks,
            summary.mean_score,
            problem,
            summary,
        )


@dataclass(frozen=True)
class Selection:
    """What is chosen. `problem` says why it cannot be trained on; `warnings` do not prevent it.

    `shares` are the actions' names with the share of the ticks that each was taken in; none before they are read.
    """

    sessions: int
    games: int
    minutes: float
    ticks: int
    env: str
    env_title: str
    problem: str
    warnings: tuple[str, ...]
    shares: tuple[tuple[str, float], ...] = ()

    @property
    def text(self) -> str:
        """One line, like "2 sessions · 7 games · 12.5 minutes · 45,000 frames"."""
        parts = (count(self.sessions, "session"), count(self.games, "game"))
        return " · ".join((*parts, f"{self.minutes:.1f} minutes", count(self.ticks, "frame")))


class Choice:
    """The sessions of a library, and which of them, and which of their games, are to be learned from.

    Until somebody ticks something, what is best to learn from is ticked, and `why` says what that is and why: whoever
    has just played need only click Train.
    """

    def __init__(self, library: Library, reader: FactsReader) -> None:
        self.rows: list[Row] = []
        self.chosen: set[Path] = set()
        self.left_out: dict[Path, set[int]] = {}
        self.only = ALL  # one of SUBSETS, or the games with one of the `tags`
        self.facts: dict[Path, SessionFacts] = {}
        self.changes = 0  # counts them, so that whoever shows this knows when to look again
        self.why = ""
        self._by_hand = False  # somebody has chosen
        self._made: dict[Path, tuple[SessionSummary, Row]] = {}  # a summary that is the same has the same row
        self._library = library
        self._reader = reader
        self._selection: tuple[int, Selection] | None = None
        self._skipped: tuple[int, dict[Path, set[int]]] | None = None

    def refresh(self) -> str:
        """Read the library again; what was chosen stays chosen where it still exists. Returns what went wrong."""
        self.changes += 1
        try:
            summaries = self._library.sessions()
        except TwinplayError as error:
            self.rows = []
            return str(error)
        made = {}
        for summary in summaries:
            before = self._made.get(summary.path)
            made[summary.path] = before if before and before[0] is summary else (summary, Row.of(summary))
        self._made = made
        self.rows = [row for _, row in made.values()]
        if tag_of(self.only) and self.only not in map(with_tag, self.tags):
            self.only = ALL  # nothing has that tag any more
        usable = [row for row in self.rows if not row.problem]
        if self._by_hand:
            self.chosen &= {row.path for row in usable}
        else:
            suggestion = suggest([row.summary for row in usable])
            self.chosen, self.why = set(suggestion.paths), suggestion.why
        self._reader.forget()
        for path in self.chosen | set(self.facts):
            self._reader.want(path)
        return ""

    def choose(self, path: Path, chosen: bool = True) -> None:
        """Tick or untick one session, whole; one that cannot be learned from stays unticked."""
        self.changes += 1
        self._take_over(path)
        if chosen and any(row.path == path and not row.problem for row in self.rows):
            self.chosen.add(path)
            self._reader.want(path)
        else:
            self.chosen.discard(path)
        self.left_out.pop(path, None)

    def open_session(self, path: Path) -> None:
        """The games of a session are wanted; they come into `facts` with a later `poll`."""
        self._reader.want(path)

    def choose_game(self, path: Path, number: int, chosen: bool = True) -> None:
        """Tick or untick one game; the first ticked one ticks its session, the last unticked one unticks it."""
        usable = {each.number for each in self.facts.get(path, SessionFacts()).games if not each.excluded}
        if number not in usable or not any(row.path == path and not row.problem for row in self.rows):
            return
        self._take_over(path)
        self.left_out, self.only = dict(self.skipped), ALL  # from now on by hand
        out = set(self.left_out.get(path, ())) if path in self.chosen else set(usable)
        out = out - {number} if chosen else out | {number}
        self.changes += 1
        if usable <= out:
            self.choose(path, False)
        else:
            self.chosen.add(path)
            self.left_out[path] = out

    def _take_over(self, path: Path) -> None:
        """Somebody chooses; what was ticked by itself makes way where it is of another environment."""
        if not self._by_hand:
            self._by_hand, self.why = True, ""
            env = {row.path: row.env for row in self.rows}
            self.chosen = {each for each in self.chosen if env[each] == env.get(path)}

    def is_chosen(self, path: Path, number: int) -> bool:
        """Whether a game of a session is learned from."""
        return path in self.chosen and number not in self.skipped.get(path, ())

    def choose_subset(self, only: str) -> None:
        """Learn only from one of SUBSETS of the chosen games, or from those with a tag, which are then chosen, too."""
        self.changes += 1
        self.only = only
        if tag_of(only):
            self._choose_tagged(tag_of(only))

    def _choose_tagged(self, tag: str) -> None:
        """Tick the sessions with a tag, of the environment that is chosen; of another one if that has none."""
        tagged = [row for row in self.rows if not row.problem and has_tag(row.summary.tags, tag)]
        env = self.selection.env
        if env not in {row.env for row in tagged}:
            self.chosen, env = set(), tagged[0].env if tagged else ""
        for summary in without_copies([row.summary for row in tagged if row.env == env]):
            self.choose(summary.path)

    @property
    def tags(self) -> list[str]:
        """The tags of the sessions that can be learned from, in order."""
        found = {tag.casefold(): tag for row in self.rows if not row.problem for tag in row.summary.tags}
        return [found[tag] for tag in sorted(found)]

    @property
    def skipped(self) -> dict[Path, set[int]]:
        """The games of the chosen sessions that are not learned from: those unticked, and those outside the subset."""
        if self._skipped is None or self._skipped[0] != self.changes:
            known = [
                (path, game)
                for path in self.paths
                for game in self.facts.get(path, SessionFacts()).games
                if not game.excluded and game.number not in self.left_out.get(path, ())
            ]
            tags = {row.path: row.summary.tags for row in self.chosen_rows}
            kept = in_subset([Judged(game.score, game.label, tags[path]) for path, game in known], self.only)
            out = {path: set(numbers) for path, numbers in self.left_out.items()}
            for (path, game), keep in zip(known, kept, strict=True):
                if not keep:
                    out.setdefault(path, set()).add(game.number)
            self._skipped = self.changes, out
        return self._skipped[1]

    @property
    def paths(self) -> list[Path]:
        """The chosen sessions, in the order of the list."""
        return [row.path for row in self.chosen_rows]

    @property
    def chosen_rows(self) -> list[Row]:
        """The rows of the chosen sessions, in the order of the list."""
        return [row for row in self.rows if row.path in self.chosen]

    @property
    def selection(self) -> Selection:
        """What is chosen, with what is wrong or doubtful about it."""
        if self._selection is None or self._selection[0] != self.changes:
            self._selection = self.changes, describe(self.chosen_rows, self.facts, self.skipped)
        return self._selection[1]

    def used_games(self, sessions: Sequence[Session]) -> UsedGames:
        """The games to learn from of those sessions."""
        left_out = {place(path): out for path, out in self.left_out.items()}
        by_hand = {
            session.name: [game.number for game in session.recorded_games if game.number not in out]
            for session in sessions
            if (out := left_out.get(session.path))
        }
        return choose_games(sessions, by_hand, self.only)

    @property
    def busy(self) -> bool:
        """Whether `poll` will bring something."""
        return self._reader.busy

    def poll(self) -> bool:
        """Take in what has been read about sessions; returns whether there was anything."""
        found = self._reader.take()
        for path, facts in found.items():
            self.know(path, facts)
        return bool(found)

    def know(self, path: Path, facts: SessionFacts) -> None:
        """Take in what is known about a session."""
        self.changes += 1
        self.facts[path] = facts

    def close(self) -> None:
        """Read no more."""
        self._reader.close()


def describe(
    rows: Sequence[Row], facts: Mapping[Path, SessionFacts], left_out: Mapping[Path, Collection[int]]
) -> Selection:
    """What the ticked sessions are together, without the games that are left out or excluded."""
    titles = sorted({row.env_title for row in rows})
    env = rows[0].env if rows else ""
    games, ticks, totals = 0, 0, np.zeros(0, np.int64)
    known = bool(rows)
    counted = {summary.path for summary in without_copies([row.summary for row in rows])}
    for row in rows:
        if row.path not in counted:
            continue
        if row.path not in facts or facts[row.path].problem:
            known = False
            games, ticks = games + row.games, ticks + row.ticks
            continue
        for game in facts[row.path].games:
            if not game.excluded and game.number not in left_out.get(row.path, ()):
                games, ticks = games + 1, ticks + game.ticks
                taken = np.array(game.counts, np.int64)
                totals = taken if not len(totals) else totals + taken if len(taken) == len(totals) else totals
    minutes = ticks / get_spec(env).rate_hz / 60 if env else 0.0
    shares: tuple[tuple[str, float], ...] = ()
    problem, warnings = "", []
    if not rows:
        problem = "Select the sessions to learn from."
    elif len(titles) > 1:
        problem = f"Choose sessions of one environment: {' and '.join(titles)} are mixed."
    elif ticks == 0:
        problem = "Nothing is left to learn from; include some games, or record more play."
    elif known and len(totals) and totals.sum():
        spec = get_spec(env)
        shares = tuple(zip(spec.action_names, (totals / totals.sum()).tolist(), strict=True))
        if spec.serve_index is not None and not totals[spec.serve_index]:
            lacking = f"no {spec.serve_action}"
            warnings.append(f"Nobody serves in this selection ({lacking}), so the twin cannot learn to serve.")
        missing = [name for name, share in shares if share == 0 and name in spec.controls and name != spec.serve_action]
        if missing:
            are, them = ("are", "them") if len(missing) > 1 else ("is", "it")
            warnings.append(f"{' and '.join(missing)} {are} never pressed here, so the twin will not learn {them}.")
        if max(share for _, share in shares) > _LOPSIDED:
            warnings.append("Nearly every frame has the same action; more varied play teaches more.")
    if not problem and env and get_spec(env).sees_screen and minutes < _SHORT_MINUTES:
        warnings.insert(0, f"{minutes:.1f} minutes is very little; aim for ten or more.")
    for simulator in sorted({facts[row.path].simulator for row in rows if row.path in facts} - {""}):
        warnings.append(f"Some of it was recorded with {simulator}.")
    if copy := first_copy([row.summary for row in rows]):
        names = " and ".join(f"“{session_name(each)}”" for each in copy)
        warnings.append(f"{names} hold the same play, which would count twice in training; untick one of them.")
    if len({player_label(demonstrator(row.summary.player)) for row in rows}) > 1 and not problem:
        warnings.append("Different players are mixed; the twin learns an average of them.")
    title = titles[0] if len(titles) == 1 else ""
    return Selection(len(rows), games, minutes, ticks, env, title, problem, tuple(warnings), shares)
