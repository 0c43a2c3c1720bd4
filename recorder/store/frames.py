"""The screens of a session in RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt

from recorder.envs.palette import colour

if TYPE_CHECKING:
    from recorder.store.session import Session


class Frames:
    """The screens of a session as exact RGB: `frames[i]` is uint8 (H, W, 3), `frames[a:b]` (n, H, W, 3)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __len__(self) -> int:
        return len(self._session)

    @overload
    def __getitem__(self, index: int) -> npt.NDArray[np.uint8]: ...
    @overload
    def __getitem__(self, index: slice) -> npt.NDArray[np.uint8]: ...
    def __getitem__(self, index: int | slice) -> npt.NDArray[np.uint8]:
        session = self._session
        if isinstance(index, slice):
            start, stop, step = index.indices(len(session))
            if step > 0:
                return colour(session.screens(start, max(start, stop))[::step], session.palette)
            picked = range(start, stop, step)
            if not picked:
                return colour(session.screens(0, 0), session.palette)
            return colour(session.screens(picked[-1], picked[0] + 1)[::-1][::-step], session.palette)
        tick = index.__index__()
        if tick < 0:
            tick += len(session)
        if not 0 <= tick < len(session):
            raise IndexError(f"tick {index} of a session of {len(session)} ticks")
        screen = colour(session.screen(tick), session.palette)
        return screen.copy() if session.palette is None else screen  # the session keeps the chunk that it is in
