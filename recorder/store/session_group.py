"""The group of one session, whose errors become a SessionError with the session's place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from recorder.errors import SessionError
from recorder.store.untrusted import StoreError
from recorder.store.zarr_store import Array, StoredArray, StoredGroup

_T = TypeVar("_T")


class SessionGroup:
    """Reads and changes a StoredGroup. Every method raises SessionError if it is damaged or gone."""

    def __init__(self, group: StoredGroup) -> None:
        self._group = group
        self.place, self.folder = group.place, group.folder

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes, as last read or set."""
        return self._group.attributes

    def array(self, name: str, shape: tuple[int, ...] | None, dtype: str, rows: int) -> StoredArray:
        """An array of at least `rows` rows of `shape` (None: one axis of any length), not read yet."""
        return self._told(partial(self._group.array, name, shape, dtype, rows))

    def part(self, array: StoredArray, selection: int | slice) -> Array:
        """A row (…) or rows (n, …) of an array from `array`."""
        return self._told(partial(self._group.read, array, selection))

    def read(self, name: str, shape: tuple[int, ...] | None, dtype: str, rows: int) -> Array:
        """The first `rows` rows of an array, (rows, *shape)."""
        return self.part(self.array(name, shape, dtype, rows), slice(0, rows))

    def set_attributes(self, **attributes: Any) -> None:
        """Change these attributes and keep the others. Raises OSError."""
        self._told(partial(self._group.set_attributes, **attributes))

    def set_column(self, name: str, values: Array) -> None:
        """Replace the first rows of a column. Raises OSError."""
        self._told(partial(self._group.set_column, name, values))

    def _told(self, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except StoreError as error:
            if isinstance(self.place, Path) and not self.place.exists():
                raise SessionError(f"{self.place} is no longer there; restore its folder") from None
            raise SessionError(f"{self.place}: {error}; the session is damaged") from None
