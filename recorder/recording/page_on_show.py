"""Whether the Record page is shown: behind another page the game is held, and no take begins."""

from __future__ import annotations

from collections.abc import Callable

from recorder.recording.take_control import TakeControl


class PageOnShow:
    """The page is shown at first. `begin` starts a take, `finishing` tells whether one is being finished."""

    def __init__(self, take: TakeControl, begin: Callable[[], None], finishing: Callable[[], bool]) -> None:
        self._take, self._begin, self._finishing = take, begin, finishing
        self._hidden = self._begins = False

    @property
    def rests(self) -> bool:
        """Whether there is nothing to poll: the page is hidden, and no take is being opened or finished."""
        return self._hidden and not self._take.opening and not self._finishing()

    def postpone_start(self) -> bool:
        """Whether a take cannot start now, because the page is hidden: then it starts once that is shown."""
        self._begins |= self._hidden
        return self._hidden

    def hide(self) -> None:
        """Another page is shown: hold the game."""
        self._hidden = True
        self._take.pause()
        self._take.lose_keyboard()

    def show(self) -> None:
        """The page is shown again: begin what was to begin meanwhile."""
        begins, self._hidden, self._begins = self._begins, False, False
        if begins:
            self._begin()
