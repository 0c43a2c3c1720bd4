"""Which keys and which controller play: the player's own for each environment, or the defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from recorder.agents.agent import KeyAgent
from recorder.agents.bindings import Bindings, load_bindings, save_bindings
from recorder.agents.controls import Controls
from recorder.agents.gamepad import BRAKE, GAS
from recorder.envs.spec import EnvSpec
from recorder.errors import TwinplayError


class KeyChoice:
    """Passes the `bindings` to `keys` and `controls`. The given ones stay if there are no `usual_keys`.

    `bindings_file` stores the player's own. `report` is called with a sentence if it cannot be read or written.
    """

    def __init__(
        self,
        bindings: Bindings,
        keys: KeyAgent,
        controls: Controls,
        *,
        bindings_file: Path | None,
        usual_keys: Callable[[EnvSpec], Bindings] | None,
        report: Callable[[str], None],
    ) -> None:
        self.bindings = bindings
        self.name_keys: Callable[[Mapping[int, str]], dict[int, str]] = dict  # from the names at the time of choosing
        self._keys, self._controls = keys, controls
        self._file, self._usual_keys, self._report = bindings_file, usual_keys, report
        self._use(bindings)

    @property
    def key_names(self) -> dict[int, str]:
        """The current labels of the keys."""
        return self.name_keys(self.bindings.names)

    def take_up(self, spec: EnvSpec) -> None:
        """Use the keys for an environment: the player's own, or the defaults."""
        self._keys.chords, self._keys.modifiers = spec.chord_indices, spec.modifier_indices
        self._keys.vectors = spec.held_vectors
        if self._usual_keys is None or not spec.playable:
            return
        own = None
        if self._file is not None:
            try:
                own = load_bindings(self._file, spec)
            except TwinplayError as error:
                self._report(str(error))
        self._use(own or self.usual(spec))

    def usual(self, spec: EnvSpec) -> Bindings:
        """The default keys for an environment; none if its file names unknown keys."""
        try:
            return self._usual_keys(spec) if self._usual_keys is not None else Bindings({}, {})
        except TwinplayError as error:
            self._report(str(error))
            return Bindings({}, {})

    def change(self, bindings: Bindings, spec: EnvSpec) -> None:
        """Use other keys for an environment from now on, and store them."""
        self._use(bindings)
        if self._file is not None:
            try:
                save_bindings(self._file, bindings, spec)
            except TwinplayError as error:
                self._report(str(error))

    def _use(self, bindings: Bindings) -> None:
        self.bindings, self._keys.bindings = bindings, bindings.actions
        self._controls.use(bindings.controller, pedals=bool({BRAKE, GAS} & bindings.actions.keys()))
