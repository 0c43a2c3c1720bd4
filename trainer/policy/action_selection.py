"""How a clone chooses its actions from its network's outputs."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from recorder.system.records import check, plain, read, said
from trainer.policy.hand import Pull

_Index = Annotated[int, Meta(ge=0)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_COLDEST = 1e-3
_NEAR = 0.02  # standard deviations: by so much farther is as bad as being less likely by a factor of e
_LATER = ("aim", "leaves_loops", "pull")  # left out of files where unused
_RAREST = 1e-2  # dividing by less would make a hardly ever taken action the most likely one


class ActionSelection(msgspec.Struct, frozen=True):
    """How a clone plays what its network says.

    `temperature` sharpens the probabilities that an action is drawn from: 1 leaves them, towards 0 the likeliest action
    alone is left, except that `kept` actions, those that demonstrators take rarely but need (to serve), always keep
    theirs. `prior` is the share of each action in the demonstrator's play, by which probabilities are divided before
    they are sharpened (Menon et al. 2021, "Long-tail learning via logit adjustment"); empty leaves them. Somebody who
    taps a key now and then waits in most ticks, also where a tap is due: the likeliest action of every single tick is
    then to wait, and that a tap is due shows in its being likelier here than elsewhere. `output` is the index of the
    outputs that are played (TrainConfig.outputs), and `past` whether older screens show what is hidden in a share of
    the training (TrainConfig.hidden_share). Continuous actions are played as is. With an `aim` the clone steers to
    where its demonstrator would be so many ticks later (trainer.policy.steering); among actions that lead equally near,
    the likelier one is taken. If it `leaves_loops`, it goes beside its aim while the same repeats
    (trainer.policy.loops). With a `pull` the clone moves its hands as its demonstrator does (trainer.policy.hand), at
    no temperature.

    Raises ValueError for values that cannot be meant.
    """

    temperature: Annotated[float, said("of the probabilities that actions are drawn from", ge=0, le=100, absent="")] = (
        1.0
    )
    kept: Annotated[tuple[_Index, ...], said("actions that keep their probability", absent="")] = ()
    output: Annotated[int, said("which row of the network's outputs", ge=0, absent="")] = 0
    past: Annotated[bool, said("whether it sees its own past", absent="")] = True
    prior: Annotated[tuple[_Share, ...], said("shares of actions to divide by; empty: none")] = ()
    aim: Annotated[
        int, said("to where its demonstrator would be so many ticks later it steers; 0: it does not", ge=0, le=60)
    ] = 0
    leaves_loops: Annotated[bool, said("whether it goes beside its aim while the same repeats")] = False
    pull: Annotated[Pull | None, said("how it holds keys like its demonstrator; absent where it does not")] = None

    def __post_init__(self) -> None:
        check(self)

    def probabilities(
        self, logits: npt.NDArray[np.float32], distances: npt.NDArray[np.float32] | None = None
    ) -> npt.NDArray[np.float32]:
        """The probabilities (…, actions) with which each action is played, from logits (…, actions).

        With an `aim`, `distances` (…, actions) say how far each action leads from it, in standard deviations.
        """
        likely = softmax(logits, 1.0)
        if self.temperature != 1.0 or self.prior or distances is not None:
            others = [action for action in range(logits.shape[-1]) if action not in self.kept]
            if others:
                share = likely[..., others].sum(axis=-1, keepdims=True)
                if self.prior:
                    logits = logits - np.log(np.maximum(np.array(self.prior, np.float32), _RAREST))
                if distances is not None:
                    logits = logits - distances / _NEAR
                likely[..., others] = share * softmax(logits[..., others], max(self.temperature, _COLDEST))
        return likely.astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        values: dict[str, Any] = plain(self)
        return {name: value for name, value in values.items() if value or name not in _LATER}

    @classmethod
    def from_json(cls, values: Any) -> ActionSelection:
        """The inverse of `to_json`. Raises ValueError for anything else."""
        if not isinstance(values, dict) or not {"temperature", "kept", "output", "past"} <= set(values):
            raise ValueError("it does not say how it is to play")
        return read(cls, values)  # the first policies have no prior


def softmax(logits: npt.NDArray[np.float32], temperature: float) -> npt.NDArray[np.float64]:
    """Probabilities (…, actions) from logits (…, actions); a lower temperature (above 0) makes them sharper."""
    scaled = (logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)) / temperature
    likely = np.exp(scaled)
    return np.asarray(likely / likely.sum(axis=-1, keepdims=True), np.float64)
