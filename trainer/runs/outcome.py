"""What came of a training, in a sentence: how the twin scores beside its player, and how often it does the same.

    Your twin scores 61, you 48; it does as you do in 73 % of moments.

What is not known is left out. Both scores are means of games of the same length: the twin's test games end after some
time, and of the games that it learned from as much counts. The share of moments is the accuracy on held-out play.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from recorder.library.players import demonstrator, kind_texts
from recorder.system.texts import count
from trainer.progress.curves import time_left
from trainer.runs.policy_library import PolicySummary

_YOURS = "Your twin"
_MOST_ON_A_BUTTON = 24  # letters
_FEW = 10  # games; “Scores…” plays as many of each


@dataclass(frozen=True)
class _Player:
    """Whom a twin learned from, in the words of a sentence."""

    twin: str
    name: str
    does: str
    owns: str


def headline(twin: PolicySummary, you: str, *, tested: bool) -> str:
    """The sentence; `you` is the name of whoever reads it. Without `tested`, no game has judged all of the training."""
    who = _player(twin.players, you)
    agrees = "" if twin.accuracy is None else f"it does as {who.does} in {100 * twin.accuracy:.0f} % of moments"
    if not tested or twin.score is None:
        return f"{who.twin} is ready: {agrees}." if agrees else f"{who.twin} is ready."
    beside = f", {who.name} {fmean(twin.demonstrator_scores):,.0f}" if twin.demonstrator_scores else ""
    return "; ".join(filter(None, (f"{who.twin} scores {twin.score:,.0f}{beside}", agrees))) + "."


def whose(twin: PolicySummary, you: str) -> str:
    """What a twin is called on a button: "your twin", "Bo's twin", or for a long name "this twin"."""
    called = _player(twin.players, you).twin
    if called == _YOURS:
        return "your twin"
    return called if len(called) <= _MOST_ON_A_BUTTON else "this twin"


def basis(twin: PolicySummary, you: str, *, tested: bool) -> str:
    """What the figures of the headline rest on, in a few sentences."""
    sentences = []
    if not tested:
        sentences.append("Training was stopped early; the best version so far was kept.")
    elif twin.score is None:
        sentences.append("No test games were played; “Scores…” on the Watch page plays some.")
    elif twin.test_games:
        games, learned = [count(twin.test_games, "test game")], len(twin.demonstrator_scores)
        if learned:
            games.append(f"{learned} of {_player(twin.players, you).owns} games")
        sentences.append(f"Means of {' and '.join(games)}, each up to {time_left(round(twin.test_seconds))}.")
        if min(twin.test_games, learned or twin.test_games) < _FEW:
            sentences.append("Few games: “Scores…” on the Watch page plays more, to their end.")
    if twin.accuracy is not None:
        sentences.append("The moments are of play kept out of training.")
    return " ".join(sentences)


def _player(players: Sequence[Mapping[str, Any]], you: str) -> _Player:
    known = {(str(each.get("kind", "")), str(each.get("name", "")).strip()) for each in map(demonstrator, players)}
    kind, name = known.pop() if len(known) == 1 else ("", "")
    if kind == "person":
        if name in ("", you) or not you:
            return _Player(_YOURS, "you", "you do", "your")
        return _Player(f"{name}'s twin", name, f"{name} does", f"{name}'s")
    if kind in ("scripted", "random", "policy"):
        who = "the other twin" if kind == "policy" else f"the {kind_texts(kind).title.lower()}"
        return _Player(_YOURS, who, f"{who} does", f"{who}'s")
    return _Player(_YOURS, "the players it learned from", "they do", "their")
