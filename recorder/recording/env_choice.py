"""Which environments are at hand on the Record page: those played last, and those with a file. All others are found by
name (recorder.recording.game_pictures has their pictures).
"""

from __future__ import annotations

import contextlib

from recorder.envs.registry import described_names, get_spec, usable_specs
from recorder.envs.spec import EnvSpec
from recorder.errors import TwinplayError
from recorder.recording.settings import RecordSettings

_MOST = 6  # are remembered


class EnvChoice:
    """`settings` remember what was played; `problems` has a sentence for each environment that cannot be used."""

    def __init__(self, settings: RecordSettings) -> None:
        self._settings = settings
        self.problems: list[str] = []
        self.specs: list[EnvSpec] = []
        self._look()

    @property
    def default(self) -> str:
        """What is chosen on the first start: the first environment with a file, whatever was played last."""
        return described_names()[0]

    @property
    def recent(self) -> tuple[str, ...]:
        """The names of the environments played last, the latest first."""
        return tuple(name for name in self._settings.recent_envs.split(",") if name)

    def take_in(self, name: str) -> None:
        """An environment was chosen: have it at hand."""
        if name not in {spec.name for spec in self.specs}:
            self.played(name)

    def played(self, name: str) -> None:
        """An environment is being played: it comes first from now on."""
        self._settings.recent_envs = ",".join([name, *(each for each in self.recent if each != name)][:_MOST])
        self._look()

    def every(self) -> list[EnvSpec]:
        """All environments: those at hand, and then the others by title."""
        at_hand = {spec.name for spec in self.specs}
        others = [spec for spec in usable_specs()[0] if spec.name not in at_hand]
        return [*self.specs, *sorted(others, key=lambda spec: spec.title.casefold())]

    def neighbour(self, name: str, steps: int) -> str:
        """The environment so many steps after this one among those at hand, around the end."""
        names = [spec.name for spec in self.specs]
        return names[(names.index(name) + steps) % len(names)]

    def _look(self) -> None:
        self.problems, self.specs = [], []
        for name in described_names():
            try:
                get_spec(name)
            except TwinplayError as error:
                self.problems.append(str(error))
        for name in dict.fromkeys((*self.recent, *described_names())):
            with contextlib.suppress(TwinplayError):
                self.specs.append(get_spec(name))
