"""What is said of the keys that play: as caps below the game, and in a sentence."""

from __future__ import annotations

from recorder.recording.presenter import RecordPresenter
from recorder.ui.game_keys import rows
from recorder.ui.game_view import Keycap
from recorder.ui.kit.keys import Keyboard, key_label


class KeyCaptions:
    """Tells the keys of `presenter`, with what `keyboard` says is printed on them."""

    def __init__(self, presenter: RecordPresenter, keyboard: Keyboard) -> None:
        self._presenter, self._keyboard = presenter, keyboard

    @property
    def keycaps(self) -> list[Keycap]:
        """A cap for each action, in the order in which they lie below the game."""
        held = self._presenter.keys.held_actions
        return [Keycap(name, self._keys_of(action), action in held) for action, name in rows(self._presenter.spec)]

    @property
    def sentence(self) -> str:
        """What the keys do."""
        spec = self._presenter.spec
        keys = {name: self._keys_of(action).split(" or ")[0] for action, name in rows(spec)}
        serve = keys.pop(spec.serve_action, "")
        *others, last = keys.values()
        moving = f"{', '.join(others)} and {last} move." if others else f"{last} plays."
        return f"{serve} serves, {moving}" if serve else moving

    def _keys_of(self, action: int) -> str:
        bindings = self._presenter.key_choice.bindings
        own = [key for key in bindings.keys_of(action) if key > 0]
        return " or ".join(key_label(self._keyboard.name(key, bindings.names[key])) for key in own)
