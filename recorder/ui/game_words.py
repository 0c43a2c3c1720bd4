"""The words over the game: what it waits for, and what to do next."""

from __future__ import annotations

from recorder.recording.partner import Company
from recorder.recording.player_name import NameQuestion
from recorder.recording.presenter import RecordPresenter
from recorder.recording.race_series import race_of
from recorder.recording.take_control import RecordState, Rewind
from recorder.system.texts import clock
from recorder.ui.key_captions import KeyCaptions

# What a controller does where the game waits, below the hint.
_CONTROLLER = {
    RecordState.IDLE: "Controller · Start: begin · up/down: choose the game · Back: all games",
    RecordState.PAUSED: "Controller · Start: resume · Back: stop and save",
    RecordState.GAME_OVER: "Controller · Start: next game · up/down: mark good/bad · Back: stop and save",
}

_HOW_TO_CORRECT = "Your twin plays. Any game key takes over; let go for {:g} s, and it goes on."


def game_words(presenter: RecordPresenter, captions: KeyCaptions) -> tuple[str, str]:
    """A title and a hint; both are empty while the game runs."""
    title, hint = _words(presenter, captions)
    more = _CONTROLLER.get(presenter.state, "") if presenter.controls.devices and not presenter.refusal else ""
    return title, "\n".join(filter(None, (hint, more)))


def _words(presenter: RecordPresenter, captions: KeyCaptions) -> tuple[str, str]:
    match presenter.state:
        case RecordState.IDLE:
            return _before_take(presenter, captions)
        case RecordState.COUNTDOWN:
            correcting = presenter.partner.company is Company.CORRECT
            hint = _HOW_TO_CORRECT.format(presenter.partner.hand_back_s) if correcting else captions.sentence
            return str(presenter.take.countdown or ""), hint
        case RecordState.PAUSED:
            return _pause(presenter)
        case RecordState.GAME_OVER:
            return _game_over(presenter)
        case RecordState.FINISHING:
            return "Saving…", ""
    if not presenter.by_hand and presenter.status is not None and not presenter.status.ticks:
        return "Loading the expert…", ""
    return "", ""


def _game_over(presenter: RecordPresenter) -> tuple[str, str]:
    race, following, more = race_of(presenter), "Space: next game", "G/B: mark good/bad · Esc: stop and save"
    title = f"Game over: {0 if presenter.status is None else presenter.status.score:,.0f}"
    if race is None or not race.result:
        waits = race is not None and race.standing
        return title, "Your twin comes to the same moment… · Esc: stop and save" if waits else f"{following} · {more}"
    if race.standing:
        following = "Space: race again" if race.settled else "Space: next race"
    return "\n".join(filter(None, (race.result, race.standing))), f"{following} · {more}"


def _before_take(presenter: RecordPresenter, captions: KeyCaptions) -> tuple[str, str]:
    partner = presenter.partner
    if presenter.refusal:
        return "Recording is not possible", presenter.refusal
    if partner.awaited:
        return "Your twin is getting ready…", "The take starts once it is ready · Esc: cancel"
    if presenter.finished.just_kept:
        again = "play again" if presenter.by_hand else "record another"
        ended_by = presenter.finished.ended_by
        title = f"{ended_by}: the take is saved" if ended_by else "Take saved"
        return title, f"Click “Train on it” on the right to train your twin, or press Space to {again}."
    if presenter.by_hand and presenter.player.question is NameQuestion.NEXT:
        return "Who plays next?", "Enter a name on the right, then press Space to play."
    if partner.getting_ready:
        return "Your twin is getting ready…", "Space: play once it is ready"
    if partner.company is Company.CORRECT:
        return "Press Space to play", _HOW_TO_CORRECT.format(partner.hand_back_s)
    if partner.company is Company.RACE:
        title = "Press Space to race the best of three" if partner.best_of else "Press Space to race"
        return title, f"Your twin plays the same game. {captions.sentence} Everything is recorded."
    if presenter.by_hand:
        return "Press Space to play", f"{captions.sentence} Everything is recorded for your twin to learn from."
    return "Press Space to begin", "A scripted expert plays; everything is recorded."


def _pause(presenter: RecordPresenter) -> tuple[str, str]:
    take = presenter.take
    if take.trouble:
        return "Waiting", "The recording cannot be written; see the message below."
    if take.recovered:
        return "Paused", "The recording can be written again; nothing was lost. Press P to resume."
    if take.lost_keyboard:
        return "Paused", "The window lost focus. Click here, then press P to resume."
    if take.rewound is not Rewind.NONE and presenter.status is not None:
        racing = presenter.partner.company is Company.RACE
        return _rewound(take.rewound, presenter.status.game_ticks / presenter.spec.rate_hz, racing=racing)
    rewind = "" if presenter.partner.company is Company.RACE else " · Backspace: rewind 3 s"
    return "Paused", f"P: resume{rewind} · .: step one frame · − / +: speed"


def _rewound(rewound: Rewind, seconds: float, *, racing: bool) -> tuple[str, str]:
    if racing:
        return "Paused", "A race cannot be rewound. P: resume"
    if rewound is Rewind.AT_START:
        return "Start of the game", "There is nothing to rewind. P: resume from here"
    return f"Rewound to {clock(seconds)}", "P: resume from here · Backspace: rewind 3 s more"
