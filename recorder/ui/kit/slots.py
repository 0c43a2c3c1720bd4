"""Slots made of other callables."""

from __future__ import annotations

from collections.abc import Callable


def then(action: Callable[..., object], follow: Callable[[], None]) -> Callable[..., None]:
    """A slot that does `action`, with the arguments of its signal, and then `follow`."""

    def slot(*args: object) -> None:
        action(*args)
        follow()

    return slot
