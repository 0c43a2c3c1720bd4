"""The hints of the Watch page, one after another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from player.watch.frames import DuelFrame, Side
from player.watch.tour import Subject, Tour

LEFT = Side("person", "Person", "", None, 0.0, None, "", 5, 0, False)
RIGHT = Side("policy", "Twin", "", None, 0.0, None, "", 5, 0, False, twin=True)
FRAME = DuelFrame(0, 60.0, "Breakout", ("NOOP",), True, True, LEFT, RIGHT)


def test_it_waits_for_a_twin_beside_a_recording_and_goes_through_its_hints_once() -> None:
    tour = Tour()
    assert tour.hint(FRAME) is None
    tour.offer()
    assert tour.hint(None) is None
    assert tour.hint(replace(FRAME, right=None)) is None
    seen = []
    while (hint := tour.hint(FRAME)) is not None:
        seen.append((hint.subject, hint.last))
        assert tour.next() is hint.last
    assert seen == [(Subject.SIDES, False), (Subject.KEYS, False), (Subject.SCORES, True)]
    assert tour.hint(FRAME) is None


def test_it_can_be_closed_at_any_hint_and_seen_again() -> None:
    tour = Tour()
    tour.offer()
    assert tour.hint(FRAME) is not None
    tour.next()
    tour.close()
    assert tour.hint(FRAME) is None
    tour.begin()  # whoever asks for it sees it beside a recording alone, too
    hint = tour.hint(replace(FRAME, right=None))
    assert hint is not None
    assert hint.subject is Subject.SIDES


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        (LEFT, RIGHT, "Left: you. Right: your twin, in the same game."),
        (replace(LEFT, title="Ada"), RIGHT, "Left: Ada. Right: Ada's twin, in the same game."),
        (replace(LEFT, kind="scripted", title="Scripted player"), RIGHT, "Left: the scripted player. Right: the twin,"),
        (replace(LEFT, kind="mixed", title="Several players"), RIGHT, "Left: several players. Right: the twin,"),
    ],
)
def test_the_first_hint_says_who_plays_on_which_side(left: Side, right: Side, words: str) -> None:
    tour = Tour()
    tour.begin()
    hint = tour.hint(replace(FRAME, left=left, right=right))
    assert hint is not None
    assert hint.text.startswith(words)
