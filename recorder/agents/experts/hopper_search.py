"""The search that found the Hopper expert's gains: augmented random search, ARS V2-t.

    gains ± noise · direction ──▶ 2 x N games ──▶ best B directions ──▶ gains += step · Σ (return⁺ - return⁻) direction

    python -m recorder.agents.experts.hopper_search --seed 2 --steps 35000000 --out gains.json
    python -m recorder.agents.experts.hopper_search --start gains.json --noise 0.01 --step 0.005 --out better.json

Source: Mania, Guy and Recht 2018, "Simple random search provides a competitive approach to reinforcement learning"
(algorithm 2, V2-t; the survival bonus is subtracted as in the paper's section 4). MuJoCo is called directly, which is
several times faster than through Gymnasium and gives the same observations and rewards (a test checks this).
"""

from __future__ import annotations

import argparse
import importlib.resources
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import mujoco
import numpy as np
import numpy.typing as npt

from recorder.system.files import replacing

Floats = npt.NDArray[np.float64]

_FRAME_SKIP = 4  # of 0.002 s: 125 Hz, as Hopper-v5
_DT = 0.008  # seconds a tick
_EPISODE_TICKS = 1_000
_CHECK_SEED = 10**6  # games that compare gains use seeds from here on, which no evaluation uses


class HopperSimulation:
    """Hopper-v5's physics, reward and start, without Gymnasium."""

    def __init__(self) -> None:
        path = importlib.resources.files("gymnasium") / "envs" / "mujoco" / "assets" / "hopper.xml"
        self._model = mujoco.MjModel.from_xml_path(str(path))
        self._data = mujoco.MjData(self._model)
        self._start: Floats = self._model.qpos0.copy()
        self._observation = np.empty(11)

    def reset(self, rng: np.random.Generator) -> Floats:
        """A start drawn as Hopper-v5 draws it; returns the observation (11,), which the next step overwrites."""
        model, data = self._model, self._data
        mujoco.mj_resetData(model, data)
        data.qpos[:] = self._start + rng.uniform(-5e-3, 5e-3, model.nq)
        data.qvel[:] = rng.uniform(-5e-3, 5e-3, model.nv)
        mujoco.mj_forward(model, data)
        return self._observe()

    def step(self, action: npt.NDArray[np.floating]) -> tuple[Floats, float, bool]:
        """One tick; returns (observation, reward without the survival bonus of 1, whether it still stands)."""
        data = self._data
        before = data.qpos[0]
        data.ctrl[:] = action
        mujoco.mj_step(self._model, data, _FRAME_SKIP)
        qpos, qvel = data.qpos, data.qvel
        reward = float((qpos[0] - before) / _DT - 1e-3 * float(action @ action))
        stands = bool(
            qpos[1] > 0.7 and abs(qpos[2]) < 0.2 and np.abs(qpos[2:]).max() < 100 and np.abs(qvel).max() < 100
        )
        return self._observe(), reward, stands

    def _observe(self) -> Floats:
        observation = self._observation
        observation[:5] = self._data.qpos[1:]
        observation[5:] = self._data.qvel
        np.clip(observation[5:], -10, 10, out=observation[5:])
        return observation


@dataclass(frozen=True)
class Gains:
    """A linear controller: action = clip(gains @ (observation - mean) / std), with its origin and results.

    `gains` (3, 11), `mean` and `std` (11,); `steps` are simulated ticks so far; `mean_return` and `sd_return` (the
    survival bonus included) and `falls` are over the games that compare gains.
    """

    gains: list[list[float]]
    mean: list[float]
    std: list[float]
    iteration: int = 0
    steps: int = 0
    mean_return: float = 0.0
    sd_return: float = 0.0
    falls: int = 0

    @property
    def quality(self) -> float:
        """The objective: the mean, minus the standard deviation, minus 100 for every fall."""
        return self.mean_return - self.sd_return - 100.0 * self.falls

    def save(self, path: Path) -> None:
        """Write as JSON, atomically."""
        with replacing(path) as part:
            part.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Gains:
        """Read what `save` wrote."""
        return cls(**json.loads(path.read_text()))


def play(
    simulation: HopperSimulation,
    weights: Floats,
    offset: Floats,
    rng: np.random.Generator,
    seen: list[Floats] | None = None,
) -> tuple[float, int, bool]:
    """Play one game with action = clip(weights @ observation + offset).

    Returns (return without survival bonus, ticks, whether it stood to the end) and appends the observations
    (ticks, 11) to `seen`.
    """
    observation = simulation.reset(rng)
    log = np.empty((_EPISODE_TICKS, 11)) if seen is not None else None
    total, ticks, stands = 0.0, 0, True
    while stands and ticks < _EPISODE_TICKS:
        if log is not None:
            log[ticks] = observation
        action = weights @ observation
        action += offset
        np.minimum(action, 1.0, out=action)
        np.maximum(action, -1.0, out=action)
        observation, reward, stands = simulation.step(action)
        total += reward
        ticks += 1
    if seen is not None and log is not None:
        seen.append(log[:ticks])
    return total, ticks, stands


def check(simulation: HopperSimulation, found: Gains, games: int) -> Gains:
    """The same gains with their results over `games` games, which are the same for all gains."""
    std = np.array(found.std)
    weights = np.array(found.gains) / std
    offset = -weights @ np.array(found.mean)
    played = [play(simulation, weights, offset, np.random.default_rng(_CHECK_SEED + k)) for k in range(games)]
    # The bonus is 1 for every tick that ends upright.
    returns = np.array([total + ticks - (not stands) for total, ticks, stands in played])
    falls = sum(not stands for _, _, stands in played)
    values = asdict(found) | {"mean_return": float(returns.mean()), "sd_return": float(returns.std()), "falls": falls}
    return Gains(**values)


def search(
    seed: int,
    steps: int,
    *,
    start: Gains | None = None,
    directions: int = 8,
    best: int = 4,
    step: float = 0.02,
    noise: float = 0.03,
    average: float = 0.0,
    check_every: int = 20,
    games: int = 8,
) -> Iterator[Gains]:
    """Yield checked gains every `check_every` iterations until `steps` ticks have been simulated.

    The checked gains are a running average, in which the past has weight `average` (Polyak 1992), because single
    iterates sometimes fall. With `start`, the search continues from those gains and keeps their normalisation;
    otherwise it starts from zero and normalises by the running mean and deviation of all observations.
    """
    rng = np.random.default_rng(seed)
    simulation = HopperSimulation()
    gains = np.zeros((3, 11)) if start is None else np.array(start.gains)
    mean = np.zeros(11) if start is None else np.array(start.mean)
    std = np.ones(11) if start is None else np.array(start.std)
    squares, count, done, iteration = np.zeros(11), 0, 0, 0
    averaged = gains
    while done < steps:
        iteration += 1
        deltas = rng.standard_normal((directions, 3, 11))
        returns = np.zeros((2, directions))  # of + and -
        seen: list[Floats] = []
        for i in range(directions):
            for row, sign in enumerate((1, -1)):
                weights = (gains + sign * noise * deltas[i]) / std
                returns[row, i], ticks, _ = play(simulation, weights, -weights @ mean, rng, seen)
                done += ticks
        top = np.argsort(-np.maximum(returns[0], returns[1]))[:best]
        plus, minus = returns[0][top], returns[1][top]
        spread = np.std(np.concatenate([plus, minus])) + 1e-8
        gains = gains + step / (best * spread) * np.einsum("i,ijk->jk", plus - minus, deltas[top])
        averaged = average * averaged + (1 - average) * gains
        if start is None:  # merge this iteration's mean and squared deviations into the running ones (Chan et al.)
            batch = np.concatenate(seen)
            batch_mean = batch.mean(0)
            shift, total = batch_mean - mean, count + len(batch)
            batch_squares = ((batch - batch_mean) ** 2).sum(0)
            mean = mean + shift * len(batch) / total
            squares = squares + batch_squares + shift**2 * count * len(batch) / total
            count = total
            std = np.sqrt(squares / count)
            std[std < 1e-7] = np.inf
        if iteration % check_every == 0:
            yield check(simulation, Gains(averaged.tolist(), mean.tolist(), std.tolist(), iteration, done), games)


def main(argv: list[str] | None = None, say: Callable[[str], None] = print) -> int:
    """The command; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m recorder.agents.experts.hopper_search", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=1_000_000, help="ticks to simulate (default: 1,000,000)")
    parser.add_argument("--out", type=Path, required=True, help="the best gains so far, as JSON")
    parser.add_argument("--start", type=Path, help="continue from these gains, with their normalisation")
    parser.add_argument("--directions", type=int, default=8)
    parser.add_argument("--best", type=int, default=4, help="number of best directions used per iteration (default: 4)")
    parser.add_argument("--step", type=float, default=0.02)
    parser.add_argument("--noise", type=float, default=0.03)
    parser.add_argument(
        "--average",
        type=float,
        default=0.0,
        help="weight of earlier iterations in the gains that are checked (default: 0)",
    )
    parser.add_argument("--check-every", type=int, default=20, help="iterations between checks (default: 20)")
    parser.add_argument("--games", type=int, default=8, help="games per check (default: 8)")
    options = vars(parser.parse_args(argv))
    out, start = options.pop("out"), options.pop("start")
    began, best = time.monotonic(), None
    for found in search(start=Gains.load(start) if start else None, **options):
        line = f"{found.iteration} {found.steps} {time.monotonic() - began:.0f}s"
        kept = best is None or found.quality > best
        if kept:
            best = found.quality
            found.save(out)
        result = f"{found.mean_return:.0f} ± {found.sd_return:.0f}, {found.falls} falls"
        say(f"{line}: {result}{' (kept)' if kept else ''}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
