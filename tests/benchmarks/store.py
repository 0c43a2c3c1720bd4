"""Reading screens back: in order, and at random, from a session and from what one might keep instead.

    session   Twinplay's Zarr store, palette indices in chunks of 60 ticks
    png       a folder of PNG files
    hdf5      HDF5 as Minari 0.5.4 writes it: RGB, uncompressed, in chunks of h5py's own choice
    array     an uncompressed NumPy file of RGB screens, mapped: as fast as reading can be, at 100,800 bytes a tick

In order, a session is read 600 ticks at a time. At random, single screens are asked for.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from recorder import Session
from tests.benchmarks.common import Lines, Options, Ratio, alone, play, table

METHODS = {
    "session": "Twinplay's session",
    "png": "PNG files",
    "hdf5": "HDF5 as Minari writes it",
    "array": "uncompressed array, memory-mapped",
}
Read = Callable[[int, int], Any]


def readers(method: str, session: Session, folder: Path) -> Read:
    """What reads RGB screens [start, stop)."""
    if method == "session":
        return lambda start, stop: session.frames[start:stop]
    if method == "png":
        import cv2

        for tick, screen in enumerate(session.frames[0 : len(session)]):
            cv2.imwrite(str(folder / f"{tick:06d}.png"), screen[:, :, ::-1])
        return lambda start, stop: np.stack(
            [cv2.imread(str(folder / f"{tick:06d}.png"))[:, :, ::-1] for tick in range(start, stop)]
        )
    if method == "hdf5":
        import h5py

        with h5py.File(folder / "main.hdf5", "w") as file:
            file.create_dataset(
                "observations", data=session.frames[0 : len(session)], chunks=True, maxshape=(None, 210, 160, 3)
            )
        stored = h5py.File(folder / "main.hdf5")["observations"]
        return lambda start, stop: stored[start:stop]
    np.save(folder / "screens.npy", session.frames[0 : len(session)])
    screens = np.load(folder / "screens.npy", mmap_mode="r")
    return lambda start, stop: np.array(screens[start:stop])


def work(method: str, path: str, picks: int) -> dict[str, float]:
    """Seconds of a core per screen, in order and at random, and bytes a screen."""
    session = Session.open(path)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        read = readers(method, session, folder)
        files = session.path / "screen" if method == "session" else folder
        size = sum(file.stat().st_size for file in files.rglob("*") if file.is_file())
        read(0, 60)
        begun = time.process_time()
        for start in range(0, len(session), 600):
            read(start, start + 600 if start + 600 < len(session) else len(session))
        ordered = (time.process_time() - begun) / len(session)
        ticks = np.random.default_rng(0).integers(0, len(session) - 1, picks).tolist()
        begun = time.process_time()
        for tick in ticks:
            read(tick, tick + 1)
        return {"ordered": ordered, "random": (time.process_time() - begun) / picks, "bytes": size / len(session)}


def store(options: Options) -> Lines:
    """The table of all stores, of the same play."""
    with tempfile.TemporaryDirectory() as folder:
        session = play(Path(folder), 300 if options.small else 3_000)
        picks = 20 if options.small else 300
        found = {
            method: alone("tests.benchmarks.store:work", method=method, path=str(session.path), picks=picks)
            for method in METHODS
        }
    yield from table(
        ("store", "bytes a screen", "sequential, screens/s per core", "random access, screens/s per core"),
        (
            (title, *(f"{value:,.0f}" for value in (each["bytes"], 1 / each["ordered"], 1 / each["random"])))
            for title, each in ((title, found[method]) for method, title in METHODS.items())
        ),
    )
    for way, title in (("ordered", "in order"), ("random", "at random")):
        yield Ratio(f"reading {title} / PNG files", found["png"][way] / found["session"][way])
