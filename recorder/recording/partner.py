"""Who plays with the person: nobody, a twin that the person corrects, or one that is raced.

choose() ──▶ getting ready ──▶ ready ──▶ companion() of each take       ALONE needs nobody
                  │ cannot be loaded        │ lost in a take: it is made ready again
                  ▼                         ▼
                ALONE                 getting ready
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from recorder.agents.agent import KeyAgent
from recorder.envs.spec import EnvSpec
from recorder.recording.companions import Companion, Correction
from recorder.recording.race import Race, Rival
from recorder.recording.remote_clone import RemoteClone
from recorder.recording.remote_twin import RemoteTwin, Twin
from recorder.recording.settings import RecordSettings

HAND_BACK_S = (0.25, 0.5, 1.0, 2.0)
SERIES = (0, 3)  # games of a race: single ones, or the best of so many
_USUAL_S = 0.5


class Company(Enum):
    """What a person does with a twin."""

    ALONE = "alone"
    CORRECT = "correct"
    RACE = "race"


@dataclass(frozen=True)
class TwinPlayers:
    """The twins that play an environment, and the classes that play them in processes of their own."""

    of: Callable[[EnvSpec], Sequence[Twin]]
    thinking: str
    racing: str


class PartnerChoice:
    """See the module's docstring. `report` is called with errors, `tell` with who of the two plays from now on,
    and `begin` to start a take that waited for the twin. `picture_shape` is that of the game's picture.
    """

    def __init__(
        self,
        players: TwinPlayers | None,
        settings: RecordSettings,
        report: Callable[[str], None],
        tell: Callable[[bool], None],
        begin: Callable[[], None],
        picture_shape: Callable[[], Sequence[int]],
    ) -> None:
        self.company = Company.ALONE
        self.twins: Sequence[Twin] = ()
        self.awaited = False  # a take starts once the twin is ready
        kept = {f"{seconds:g}": seconds for seconds in HAND_BACK_S}
        self.hand_back_s = kept.get(settings.hand_back, _USUAL_S)
        self.best_of = 3 if settings.best_of == "3" else 0  # one of SERIES
        self._players, self._settings, self._report, self._tell = players, settings, report, tell
        self._begin, self._picture_shape = begin, picture_shape
        self._spec: EnvSpec | None = None
        self._remote: RemoteTwin | None = None
        self._retired: list[Any] = []  # threads of recorder.system.jobs in which a process is being ended

    @property
    def twin(self) -> Twin | None:
        """The twin that plays, too; None if the person plays alone."""
        return None if self._remote is None else self._remote.twin

    @property
    def process(self) -> int:
        """The number of the twin's process; 0 without one."""
        return 0 if self._remote is None else self._remote.process

    @property
    def getting_ready(self) -> bool:
        """Whether the twin cannot play yet, or has been lost."""
        return self._remote is not None and (not self._remote.ready or self._remote.lost)

    def look(self, spec: EnvSpec) -> None:
        """Look again which twins play an environment; in another one than before the person plays alone."""
        if self._spec is None or spec.name != self._spec.name:
            self.leave()
        self._spec = spec
        self.twins = () if self._players is None or not spec.playable else tuple(self._players.of(spec))
        if self.twin is not None and self.twin not in self.twins:
            self.leave()

    def choose(self, company: Company, twin: Twin | None = None) -> None:
        """Play like this from the next take on."""
        if (company, twin) == (self.company, self.twin):
            return
        self.leave()
        if company is not Company.ALONE and twin is not None:
            self.company = company
            self._call(twin)

    def set_hand_back(self, seconds: float) -> None:
        """Let the twin go on after so long without a key, from the next take on. Raises ValueError for other times."""
        if seconds not in HAND_BACK_S:
            raise ValueError(f"{seconds:g} s is none of {', '.join(f'{each:g}' for each in HAND_BACK_S)}")
        self.hand_back_s = seconds
        self._settings.hand_back = f"{seconds:g}"

    def set_series(self, best_of: int) -> None:
        """Race for the best of so many games from the next take on. Raises ValueError for what is not in SERIES."""
        if best_of not in SERIES:
            raise ValueError(f"best of {best_of}; choose one of {', '.join(map(str, SERIES))}")
        self.best_of = best_of
        self._settings.best_of = str(best_of or "")

    def poll(self) -> bool:
        """Take in what the twin's process says, between takes; returns whether anything changed."""
        remote = self._remote
        if remote is None or not (remote.poll() or remote.lost):
            return False
        if remote.lost and remote.ready:
            self._dismiss()
            self._call(remote.twin)
        elif remote.lost:
            self.leave()
            self._report(f"{remote.twin.title} cannot play: {remote.reason}. Choose another twin, or play alone.")
        if self.awaited and not self.getting_ready:
            self._begin()
        return True

    def wait_for_twin(self) -> bool:
        """Whether a take must wait, because the twin is getting ready; it is begun once that can play."""
        self.awaited = self.getting_ready
        return self.awaited

    def companion(self, keys: KeyAgent) -> Companion | None:
        """The twin for a take; None if the person plays alone."""
        if self._remote is None or self._spec is None:
            return None
        if isinstance(self._remote, Rival):
            return Race(self._remote, self.best_of)
        assert isinstance(self._remote, RemoteClone)
        return Correction(self._remote, keys, round(self.hand_back_s * self._spec.rate_hz), self._tell)

    def leave(self) -> None:
        """Play alone."""
        self.company, self.awaited = Company.ALONE, False
        self._dismiss()

    def close(self) -> None:
        """Play alone, and wait until the processes of all twins have ended."""
        self.leave()
        for thread in self._retired:
            thread.join(10)
        self._retired.clear()

    def _dismiss(self) -> None:
        if self._remote is not None:
            self._retired = [thread for thread in self._retired if thread.is_alive()]
            self._retired.append(self._remote.close())
        self._remote = None

    def _call(self, twin: Twin) -> None:
        assert self._players is not None
        assert self._spec is not None
        if self.company is Company.RACE:
            self._remote = Rival(twin, self._players.racing, self._picture_shape())
        else:
            self._remote = RemoteClone(twin, self._players.thinking, self._spec)
