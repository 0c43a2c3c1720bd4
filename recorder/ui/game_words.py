"""The words over the game: what it waits for, and what to do next."""

from __future__ import annotations

from recorder.recording.presenter import RecordPresenter
from recorder.recording.take_control import RecordState
from recorder.ui.key_captions import KeyCaptions


def game_words(presenter: RecordPresenter, captions: KeyCaptions) -> tuple[str, str]:
    """A title and a hint; both are empty while the game runs."""
    match presenter.state:
        case RecordState.IDLE:
            return _before_take(presenter, captions)
        case RecordState.COUNTDOWN:
            return str(presenter.take.countdown or ""), captions.sentence
        case RecordState.PAUSED:
            return _pause(presenter)
        case RecordState.GAME_OVER:
            score = presenter.status.score if presenter.status else 0
            return (
                f"Game over: {score:,.0f}",
                "Space plays another game in this take. G or B marks it good or bad. Esc stops and keeps the take.",
            )
        case RecordState.FINISHING:
            return "Saving…", ""
    if not presenter.by_hand and presenter.status is not None and not presenter.status.ticks:
        return "Waking the expert…", ""
    return "", ""


def _before_take(presenter: RecordPresenter, captions: KeyCaptions) -> tuple[str, str]:
    if presenter.finished.just_kept:
        again = "Space plays another." if presenter.by_hand else "Space records another."
        return "Your take is kept", f"“Train on it”, at the right, makes a twin of it. {again}"
    if presenter.by_hand:
        return "Press Space to play", f"{captions.sentence} All of it is recorded, for your twin to learn from."
    return "Press Space to begin", "An expert demonstrates, and all of it is recorded."


def _pause(presenter: RecordPresenter) -> tuple[str, str]:
    take = presenter.take
    if take.trouble:
        return "Waiting", "The recording cannot be written; the line above says why."
    if take.recovered:
        return "Paused", "The recording can be written again, and nothing was lost. P goes on."
    if take.lost_keyboard:
        return "Paused", "The window lost the keyboard, and no key is held. Click here, then P goes on."
    return "Paused", "P goes on, Backspace goes back 3 seconds, a dot plays one tick, − and + change the speed."
