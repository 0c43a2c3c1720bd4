"""The stored moments of a session: those before each tick, and the final ones of its episodes."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from recorder.envs.palette import colour
from recorder.envs.spec import STATE
from recorder.errors import SessionError
from recorder.store.head import Head
from recorder.store.schema import CHUNK_TICKS
from recorder.store.session_group import SessionGroup
from recorder.store.zarr_store import Array, StoredArray


class Moments:
    """Reads screens or vectors, and simulator states. Every method raises SessionError if they are damaged."""

    def __init__(self, group: SessionGroup, head: Head) -> None:
        self._group, self._spec, self._ticks, self._finals = group, head.spec, head.ticks, head.finals
        self._cached_chunk = self._touched_chunk = -1
        self._chunk: npt.NDArray[np.uint8] = np.empty((0, 0, 0), np.uint8)

    @cached_property
    def palette(self) -> npt.NDArray[np.uint8] | None:
        """The RGB colour of each palette index, uint8 (256, 3); None if screens are stored in RGB."""
        if self._spec.sees_screen and self._spec.colours == "rgb":
            return None
        try:
            palette = np.array(self._group.attributes["palette"], np.uint8)
        except (KeyError, ValueError, TypeError, OverflowError):
            palette = np.empty(0, np.uint8)
        if palette.shape != (256, 3):
            raise SessionError(f"{self._group.place} has no palette of 256 colours, so its screens cannot be shown")
        return palette

    @cached_property
    def states(self) -> npt.NDArray[np.float64]:
        """Simulator states (T, S) float64."""
        return self._group.read(STATE, None, "float64", self._ticks)

    @cached_property
    def all_vectors(self) -> Array:
        """The observations of every tick in an environment without a screen, (T, n); they stay in memory."""
        spec = self._spec
        return self._group.read("observation", spec.observation_shape, spec.observation_dtype, self._ticks)

    def vectors(self, start: int, stop: int) -> Array:
        """The observations of ticks [start, stop) in an environment without a screen, (n, …); not cached."""
        spec = self._spec
        array = self._group.array("observation", spec.observation_shape, spec.observation_dtype, self._ticks)
        return self._group.part(array, slice(start, stop))

    @cached_property
    def _screens(self) -> StoredArray:
        return self._group.array("screen", self._spec.frame_shape, "uint8", self._ticks)

    def screens(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """The screens of ticks [start, stop) as they are stored: palette indices uint8 (n, H, W), or RGB (n, H, W, 3).

        Decodes each chunk it touches once.
        """
        self.need_screens()
        return self._group.part(self._screens, slice(start, min(stop, self._ticks)))

    def screen(self, tick: int) -> npt.NDArray[np.uint8]:
        """The screen of one tick as it is stored: palette indices uint8 (H, W), or RGB (H, W, 3).

        A second call for the same chunk keeps all of it in memory: whoever goes on from screen to screen will need it.
        """
        chunk = tick // CHUNK_TICKS
        if chunk != self._cached_chunk or tick % CHUNK_TICKS >= len(self._chunk):
            if chunk != self._touched_chunk:
                self._touched_chunk = chunk
                alone: npt.NDArray[np.uint8] = self.screens(tick, tick + 1)[0]
                return alone
            self._chunk = self.screens(chunk * CHUNK_TICKS, (chunk + 1) * CHUNK_TICKS)
            self._cached_chunk = chunk
        screen: npt.NDArray[np.uint8] = self._chunk[tick % CHUNK_TICKS]
        return screen

    def need_screens(self) -> None:
        """Raise SessionError for an environment without a screen."""
        if not self._spec.sees_screen:
            raise SessionError(
                f"{self._group.place} is a session of {self._spec.title}, which stores observation vectors and no "
                "screens; read session.observations"
            )

    @property
    def storage(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Name -> (shape, dtype) of the arrays that store the moment before each tick."""
        return self._spec.storage(self.states.shape[1] if self._spec.stores_state else 0)

    def stored(self, start: int, stop: int) -> dict[str, Array]:
        """The stored moments before ticks [start, stop), by name, (n, …)."""
        seen = self.screens(start, stop) if self._spec.sees_screen else self.all_vectors[start:stop]
        stored: dict[str, Array] = {self._spec.observation_array: seen}
        return stored | ({STATE: self.states[start:stop]} if self._spec.stores_state else {})

    def final(self, index: int) -> Array | None:
        """The observation after the end of episode `index`: RGB screen or vector; None for an interrupted one."""
        if index >= self._finals:
            return None
        spec = self._spec
        name = f"final_{spec.observation_array}"
        array = self._group.array(name, spec.frame_shape, spec.observation_dtype, self._finals)
        row = self._group.part(array, index)
        return colour(row, self.palette) if spec.sees_screen else row

    def finals(self) -> dict[str, Array]:
        """The final moment of each finished episode, by the name of the array: a row for each index."""
        return {
            name: self._group.read(f"final_{name}", None if name == STATE else shape, dtype, self._finals)
            for name, (shape, dtype) in self._spec.storage(0).items()
        }
