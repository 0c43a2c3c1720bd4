"""What the Train page says about the last action."""

from __future__ import annotations

from collections.abc import Callable

from recorder.errors import TwinplayError


class Messages:
    """`error` says why an action failed, `notice` what it did; each is a sentence, or empty."""

    def __init__(self) -> None:
        self.error = self.notice = ""

    def clear(self) -> None:
        """Forget both, because the user has read them or acts again."""
        self.error = self.notice = ""

    def attempt(self, action: Callable[[], object]) -> bool:
        """Run an action, and keep its failure in `error`; returns whether it succeeded."""
        try:
            action()
        except (TwinplayError, OSError) as error:
            self.error = str(error)
            return False
        return True
