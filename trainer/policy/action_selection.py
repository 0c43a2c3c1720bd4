"""How a clone chooses its actions from its network's outputs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.policy.hand import Pull

_COLDEST = 1e-3
_RAREST = 1e-2  # dividing by less would make a hardly ever taken action the most likely one


@dataclass(frozen=True)
class ActionSelection:
    """How a clone turns its network's outputs into actions.

    Actions are drawn from the network's probabilities, sharpened by `temperature`: 1 leaves them unchanged; towards 0
    only the most likely action remains. `kept` actions, which demonstrators take rarely but need (to serve), always
    keep their probability. `prior` is the share of each action in the demonstrator's play; probabilities are divided by
    it before sharpening (Menon et al. 2021, "Long-tail learning via logit adjustment"). If it is empty, they are not
    divided. Background: somebody who taps a key now and then waits in most ticks, even around a tap. The most likely
    action of every single tick is then to wait; what shows that a tap is due is that it is more likely here than
    elsewhere.

    `output` is the index of the outputs that play (TrainConfig.outputs). `past`: whether older screens show what is
    hidden in a share of the training samples (TrainConfig.hidden_share). Continuous actions are played unchanged. With
    a `pull` the clone moves its hands as its demonstrator does (trainer.policy.hand); `temperature` is then not used.

    Raises ValueError for values out of range.
    """

    temperature: float = 1.0
    kept: tuple[int, ...] = ()
    output: int = 0
    past: bool = True
    prior: tuple[float, ...] = ()
    pull: Pull | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 100:
            raise ValueError(f"temperature {self.temperature}")
        if any(not 0 <= share <= 1 for share in self.prior):
            raise ValueError(f"prior {self.prior}")
        if self.output < 0 or any(action < 0 for action in self.kept):
            raise ValueError(f"output {self.output}, kept actions {self.kept}")

    def probabilities(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The probabilities (…, actions) with which each action is played, from logits (…, actions)."""
        likely = softmax(logits, 1.0)
        if self.temperature != 1.0 or self.prior:
            others = [action for action in range(logits.shape[-1]) if action not in self.kept]
            if others:
                share = likely[..., others].sum(axis=-1, keepdims=True)
                if self.prior:
                    logits = logits - np.log(np.maximum(np.array(self.prior, np.float32), _RAREST))
                likely[..., others] = share * softmax(logits[..., others], max(self.temperature, _COLDEST))
        return likely.astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        values = {**asdict(self), "kept": list(self.kept), "prior": list(self.prior)}
        return values if self.pull else {name: value for name, value in values.items() if name != "pull"}

    @classmethod
    def from_json(cls, values: Any) -> ActionSelection:
        """The inverse of `to_json`. Raises ValueError or TypeError for anything else."""
        kept = tuple(int(action) for action in values["kept"])
        prior = tuple(float(share) for share in values.get("prior", ()))  # earlier versions did not store it
        pull = Pull.from_json(values["pull"]) if values.get("pull") is not None else None
        return cls(float(values["temperature"]), kept, int(values["output"]), bool(values["past"]), prior, pull)


def softmax(logits: npt.NDArray[np.float32], temperature: float) -> npt.NDArray[np.float64]:
    """Probabilities (…, actions) from logits (…, actions); a lower temperature (above 0) makes them sharper."""
    scaled = (logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)) / temperature
    likely = np.exp(scaled)
    return np.asarray(likely / likely.sum(axis=-1, keepdims=True), np.float64)
