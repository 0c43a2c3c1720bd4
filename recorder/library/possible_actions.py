"""Why something cannot be done with the sessions that are selected, as the buttons of the Library page say it."""

from __future__ import annotations

from recorder.library.presenter import LibraryPresenter

_NOTHING = "Select a session first"
_RECORDING = "This session is still being recorded"
_EMPTY = "There is no play in this session"


def why_not(presenter: LibraryPresenter, game: int | None) -> dict[str, str]:
    """For "train", "watch", "verify", "merge", "split" and "delete" the reason, or "" where it can be done.

    `game` is the number of the game that is shown, before which a session would be split.
    """
    chosen, details = presenter.chosen, presenter.preview.details
    if not chosen:
        return dict.fromkeys(("train", "watch", "verify", "merge", "split", "delete"), _NOTHING)
    played = [row for row in chosen if row.ticks]
    none_played = "" if played else _EMPTY
    refused = presenter.refusal
    at_work = "" if presenter.work is None else f"{presenter.work.title} is in progress; wait until it is done"
    recording = [row for row in chosen if row.state == "recording"]
    games = 0 if details is None else len(details.games)
    merge = split = ""
    if len(played) < 2:
        merge = "Select two or more sessions"
    elif len({row.env for row in played}) > 1:
        merge = "Only sessions of the same game can be merged"
    if len(chosen) > 1:
        split = "Select a single session"
    elif games < 2:
        split = "There is only one game in this session" if games else _EMPTY
    elif game is None or game < 2:
        split = "Select a later game: the session is split before the selected one"
    verified = "It is verified already" if all(row.verified for row in chosen) else ""
    return {
        "train": none_played or (_RECORDING if recording else ""),
        "watch": "" if presenter.shown is not None and presenter.shown.ticks else _EMPTY,
        "verify": verified or none_played or at_work,
        "merge": refused or merge or at_work,
        "split": refused or split or at_work,
        "delete": refused or (_RECORDING if len(recording) == len(chosen) else ""),
    }
