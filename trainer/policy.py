"""A trained clone: one safetensors file, and an Agent.

    policy.safetensors = weights + one JSON header {format, version, env, config, play, sessions, scores, …}

Everything needed to rebuild and to judge the policy is in the header. Nothing in the file is executed: weights are
plain numbers, checked against the network that the header names.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from recorder.envs import Env, EnvSpec, get_spec
from recorder.errors import TwinplayError
from trainer.config import TrainConfig
from trainer.errors import PolicyError
from trainer.models import Net, build
from trainer.preprocess import Preprocess

FORMAT = "twinplay-policy"
FORMAT_VERSION = 1
_HEADER_KEY = "twinplay"
_MAX_HEADER_BYTES = 8 << 20


def save_policy(path: Path, net: Net, header: dict[str, Any]) -> None:
    """Write a policy file atomically: complete under its name, or not at all. Raises PolicyError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    full = {"format": FORMAT, "version": FORMAT_VERSION, **header}
    try:
        save_file(tensors, temporary, {_HEADER_KEY: json.dumps(full)})
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise PolicyError(f"{path} cannot be written: {error}; choose another place") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def read_header(path: Path | str) -> dict[str, Any]:
    """The header of a policy file, without its weights. Raises PolicyError when the file is not a policy."""
    path = Path(path)
    if not path.is_file():
        raise PolicyError(f"{path} is not a policy: there is no such file; `twinplay train` makes one")
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
        if length > min(_MAX_HEADER_BYTES, path.stat().st_size):
            raise PolicyError(f"{path} is not a policy, or it is cut short; train it again or get a whole copy")
        with safe_open(path, framework="pt") as tensors:
            metadata = tensors.metadata() or {}
        header = json.loads(metadata.get(_HEADER_KEY, "null"))
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:160]
        raise PolicyError(f"{path} is not a readable policy ({reason}); train it again or get a whole copy") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise PolicyError(f"{path} is a safetensors file, but not a policy of Twinplay; choose another file")
    if header.get("version") != FORMAT_VERSION:
        raise PolicyError(
            f"{path} has policy format {header.get('version')!r}, this program reads {FORMAT_VERSION}; train it again"
        )
    return header


class Policy:
    """A clone that plays. `Policy.load` reads it; `fork` gives another player of the same weights.

    The clone plays as it played best in training: the action is sampled from the network's probabilities, softened or
    sharpened by `temperature`, or the likeliest one where `greedy`. `probabilities` are those of the last act
    (one per action; None for continuous actions and before the first act).
    """

    kind = "policy"

    def __init__(
        self,
        net: Net,
        spec: EnvSpec,
        config: TrainConfig,
        *,
        seed: int = 0,
        greedy: bool = False,
        temperature: float = 1.0,
        header: dict[str, Any] | None = None,
        name: str = "clone",
        device: torch.device | str = "cpu",
    ) -> None:
        self.net = net
        self.spec = spec
        self.config = config
        self.greedy = greedy
        self.temperature = temperature
        self.header = header or {}
        self.name = name
        self.probabilities: npt.NDArray[np.float32] | None = None
        self._device = torch.device(device)
        self._rng = np.random.default_rng(seed)
        self._preprocess = Preprocess.of(config)
        self._seen: list[npt.NDArray[np.uint8]] = []

    @classmethod
    def load(cls, path: Path | str, seed: int = 0) -> Policy:
        """Read a policy file; `seed` seeds its sampling.

        Raises PolicyError, saying what is wrong with the file, or that it was made for another environment.
        """
        path = Path(path)
        header = read_header(path)
        try:
            spec = EnvSpec.from_json(header.get("env"))
            installed = get_spec(spec.name)
            config = TrainConfig.from_json(header.get("config"))
            net = build(config, spec)
            play = header.get("play", {})
            greedy, temperature = bool(play.get("greedy", False)), float(play.get("temperature", 1.0))
            if not 0.01 <= temperature <= 100:
                raise ValueError(f"temperature {temperature}")
            with safe_open(path, framework="pt") as tensors:
                expected = net.state_dict()
                names = set(tensors.keys())
                if names != set(expected):
                    raise ValueError("its weights are not those of the network it names")
                for name, value in expected.items():
                    stored = tensors.get_slice(name)
                    if list(stored.get_shape()) != list(value.shape):
                        raise ValueError(f"weight {name} has shape {stored.get_shape()}, expected {list(value.shape)}")
                weights = {name: tensors.get_tensor(name) for name in names}
            net.load_state_dict(weights)
            if not all(bool(torch.isfinite(tensor).all()) for tensor in weights.values()):
                raise ValueError("its weights are not all finite")
        except (TwinplayError, ValueError, TypeError, AttributeError, RuntimeError, OSError, SafetensorError) as error:
            reason = (str(error).splitlines() or [""])[0][:200]
            raise PolicyError(f"{path} is damaged ({reason}); train it again or get a whole copy") from None
        if spec.has_screen != installed.has_screen or spec.observation_shape != installed.observation_shape:
            raise PolicyError(f"{path} was made for another {spec.title} than the one installed; train it again")
        net.eval()
        return cls(net, spec, config, seed=seed, greedy=greedy, temperature=temperature, header=header, name=path.stem)

    def fork(self, seed: int, *, greedy: bool | None = None, temperature: float | None = None) -> Policy:
        """Another player with the same network, its own memory and randomness."""
        return Policy(
            self.net,
            self.spec,
            self.config,
            seed=seed,
            greedy=self.greedy if greedy is None else greedy,
            temperature=self.temperature if temperature is None else temperature,
            header=self.header,
            name=self.name,
            device=self._device,
        )

    def describe(self) -> dict[str, Any]:
        """The player as sessions store it."""
        return {"kind": self.kind, "name": self.name, "params": {}}

    def reset(self, env: Env | None = None) -> None:
        """Forget what was seen: a new episode begins. The environment is not looked at."""
        self._seen.clear()
        self.probabilities = None

    def act(self, observation: Any) -> Any:
        """The clone's action: int, or float32 (m,) in [-1, 1]."""
        return act_together([self], [observation])[0]

    def see(self, observation: Any) -> npt.NDArray[Any]:
        """Take in an observation; returns the network's input: uint8 (history, size, size) or float32 (n,).

        Raises PolicyError for an observation of another environment.
        """
        observation = np.asarray(observation)
        if observation.shape != tuple(self.spec.observation_shape):
            raise PolicyError(
                f"the policy {self.name} sees {self.spec.title} {self.spec.observation_shape}, "
                f"but was shown an observation of shape {observation.shape}; choose a policy of this environment"
            )
        if not self.spec.has_screen:
            return np.asarray(observation, np.float32)
        ages = self.config.history
        self._seen.insert(0, self._preprocess.from_rgb(observation))
        del self._seen[max(ages) + 1 :]
        return np.stack([self._seen[min(age, len(self._seen) - 1)] for age in ages])

    def choose(self, output: npt.NDArray[np.float32]) -> Any:
        """The action for the network's output: logits (actions,) or torques (m,)."""
        if not self.spec.discrete:
            return np.clip(output, -1.0, 1.0)
        scaled = output.astype(np.float64) / self.temperature
        likely = np.exp(scaled - scaled.max())
        likely /= likely.sum()
        self.probabilities = likely.astype(np.float32)
        if self.greedy:
            return int(likely.argmax())
        drawn = int(np.searchsorted(np.cumsum(likely), self._rng.random()))
        return min(drawn, len(likely) - 1)


def act_together(policies: Sequence[Policy], observations: Sequence[Any]) -> list[Any]:
    """The actions of several players of one network, in one pass through it."""
    first = policies[0]
    inputs = np.stack([policy.see(seen) for policy, seen in zip(policies, observations, strict=True)])
    with torch.inference_mode():
        tensor = torch.from_numpy(inputs).to(first._device)
        outputs = first.net(first.net.prepare(tensor)).float().cpu().numpy()
    return [policy.choose(output) for policy, output in zip(policies, outputs, strict=True)]
