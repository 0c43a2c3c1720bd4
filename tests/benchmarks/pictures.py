"""Pictures in any colours: what each chain of Zarr's standard codecs makes of chunks of 60, and in which time.

What is played is drawn at random and held for ten ticks; in Car Racing with as much gas as makes a car drive. Chains
differ in the order of the axes (`transpose`), in the compressor and in its level; numcodecs compresses as zarr does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from msgspec.structs import replace
from numcodecs.blosc import Blosc
from numcodecs.zstd import Zstd

from recorder import get_spec
from recorder.agents.agent import RandomAgent
from recorder.envs.backend import Array, backend_class
from recorder.envs.spec import EnvSpec
from recorder.store.schema import CHUNK_TICKS
from tests.benchmarks.common import Lines, Options, Ratio, table

_AS_IS, _PLANES, _TIME, _BOTH, _PIXELS = (0, 1, 2, 3), (0, 3, 1, 2), (1, 2, 3, 0), (3, 1, 2, 0), (1, 2, 0, 3)
_HELD_TICKS = 10
Chain = tuple[str, tuple[int, ...], Any]
CHAINS: tuple[Chain, ...] = (
    ("as they are, zstd 3 (Twinplay)", _AS_IS, Zstd(3)),
    ("as they are, zstd 9 (Twinplay, while a person plays)", _AS_IS, Zstd(9)),
    ("as they are, zstd 17", _AS_IS, Zstd(17)),
    ("a plane for each colour, zstd 3", _PLANES, Zstd(3)),
    ("a plane for each colour, zstd 9", _PLANES, Zstd(9)),
    ("time fastest, zstd 3", _TIME, Zstd(3)),
    ("planes, and time fastest, zstd 3", _BOTH, Zstd(3)),
    ("each pixel's history in RGB, zstd 3", _PIXELS, Zstd(3)),
    ("as they are, Blosc-zstd 5 without shuffle", _AS_IS, Blosc("zstd", 5, Blosc.NOSHUFFLE)),
    ("as they are, Blosc-zstd 5 with bit shuffle", _AS_IS, Blosc("zstd", 5, Blosc.BITSHUFFLE)),
)


def drawn(name: str, height: int, width: int) -> EnvSpec:
    """An environment whose players see what it draws."""
    return replace(
        get_spec(name),
        observation_kind="screen",
        observation_from="render",
        observation_shape=(height, width, 3),
        observation_dtype="uint8",
        colours="rgb",
    )


def played(spec: EnvSpec, ticks: int) -> Array:
    """Pictures uint8 (ticks, H, W, 3)."""
    backend = backend_class(spec)(spec, render=False, sound=False, fresh=False)
    agent, rng, found = RandomAgent(spec, 1), np.random.default_rng(1), []
    try:
        seen, action = backend.reset(1), None
        for tick in range(ticks):
            if tick % _HELD_TICKS == 0:
                action = agent.act(seen)
                if spec.name == "car_racing":
                    action = np.array([rng.choice([-0.5, 0.0, 0.5]), rng.random() < 0.5, 0], np.float32)
            found.append(seen)
            seen, _, terminated, truncated = backend.step(action)
            if terminated or truncated:
                seen = backend.reset(tick)
    finally:
        backend.close()
    return np.stack(found)


def measured(pack: Callable[[Array], Any], unpack: Callable[[Any], object], chunks: list[Array]) -> tuple[float, ...]:
    """Bytes, and milliseconds to pack and to unpack, a picture."""
    count = CHUNK_TICKS * len(chunks)
    begun = time.process_time()
    packed = [pack(chunk) for chunk in chunks]
    between = time.process_time()
    for each in packed:
        unpack(each)
    ended = time.process_time()
    size = sum(len(each) if isinstance(each, bytes) else sum(map(len, each)) for each in packed)
    return size / count, 1e3 * (between - begun) / count, 1e3 * (ended - between) / count


def chained(pictures: Array, order: tuple[int, ...], codec: Any) -> tuple[float, ...]:
    """What a chain makes of pictures, see `measured`."""
    chunks = [pictures[start : start + CHUNK_TICKS] for start in range(0, len(pictures), CHUNK_TICKS)]
    return measured(codec.encode, codec.decode, [np.ascontiguousarray(chunk.transpose(order)) for chunk in chunks])


def indices(pictures: Array) -> Array | None:
    """The pictures as palette indices; None if they have more than 256 colours."""
    colours, found = np.unique(pictures.reshape(-1, 3), axis=0, return_inverse=True)
    return found.reshape(pictures.shape[:3]).astype(np.uint8) if len(colours) <= 256 else None


def pictures(options: Options) -> Lines:
    """The table of all chains."""
    ticks = (2 if options.small else 10) * CHUNK_TICKS
    specs = [get_spec("car_racing"), drawn("hopper", 96, 96), drawn("lunar_lander", 100, 150)]
    specs.append(drawn("frozen_lake", 128, 128))
    all_pictures = [played(spec, ticks) for spec in specs]
    rows = [(title, [chained(each, order, codec) for each in all_pictures]) for title, order, codec in CHAINS]
    png = [
        measured(
            lambda chunk: [cv2.imencode(".png", picture)[1] for picture in chunk],
            lambda packed: [cv2.imdecode(picture, cv2.IMREAD_COLOR) for picture in packed],
            [each[:CHUNK_TICKS]],
        )
        for each in all_pictures
    ]
    few = [indices(each) for each in all_pictures]
    palette = [() if each is None else chained(each, (1, 2, 0), Zstd(3)) for each in few]
    rows += [("PNG files", png), ("palette indices, time fastest, zstd 3", palette)]
    yield "Bytes, and milliseconds to compress and to unpack, a picture; palette indices only of up to 256 colours."
    yield ""
    sizes = (f"{spec.title}, {' × '.join(map(str, spec.observation_shape[:2]))}" for spec in specs)
    yield from table(("codecs", *sizes), ((title, *map(_told, found)) for title, found in rows))
    yield Ratio("pictures / PNG files", png[0][0] / rows[0][1][0][0])


def _told(found: tuple[float, ...]) -> str:
    return f"{found[0]:,.0f} · {found[1]:.2f} · {found[2]:.2f}" if found else ""
