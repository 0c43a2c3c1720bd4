"""Damaged and malicious sessions and policies: `python -m tests.hostile FOLDER SEED COUNT`.

Hypothesis, from SEED, changes a copy of one of the valid files in FOLDER in one way, COUNT times, and then does with it
what a user could do. Anything but success or one of our own errors (one sentence) is a failure; hypothesis then looks
for the smallest change that leads to it. What happened is reported as JSON, a line each; the last one tells the most
memory that was used. Memory is limited, and a file that is changed outside the copy is found out by the caller.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from player.watch.duel import Duel
from recorder import Library, Session, verify
from recorder.errors import TwinplayError
from recorder.library.copying import copy_session
from recorder.library.edits import edit
from recorder.library.merging import splitting
from recorder.library.preview import PreviewWorker, read_details
from recorder.library.review import review
from trainer import Policy, TrainConfig
from trainer.data.dataset import Dataset
from trainer.policy.header import read_header

HANG_S = 30
FAILED = "FAILED"
MEMORY_BYTES = 6 << 30  # torch alone reserves more than two of address space
SESSIONS, POLICIES, OUTSIDE = "sessions", "policies", "outside"

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 3, 2**31, 2**40, 2**63, 10**30, -(2**70), 1e308, float("nan"), float("inf")),
    *("", "x" * 100_000, "../../outside/canary", "/etc/passwd", "antigravity:Env", "__import__('os')"),
    *("int64", "float16", "string", "|O", "NOOP", "person", "complete", "recording"),
    *([], {}, [0], [-1], [2**40], [2**40, 210, 160], [1] * 5_000),
    *({"name": "numcodecs.zlib"}, {"name": "pickle"}, {"configuration": {"chunk_shape": [1]}}),
)


def noise(rng: random.Random, count: int) -> bytes:
    """Bytes that there is no point in making smaller."""
    return random.Random(rng.getrandbits(32)).randbytes(count)


def mutate_bytes(path: Path, rng: random.Random) -> str:
    data = bytearray(path.read_bytes())
    kind = rng.choice(["flip", "flip", "cut", "empty", "noise", "append", "insert"])
    if kind == "flip" and data:
        for _ in range(rng.choice([1, 1, 2, 8])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del data[rng.randrange(len(data) + 1) :]
    elif kind == "empty":
        data.clear()
    elif kind == "noise":
        data = bytearray(noise(rng, len(data)))
    elif kind == "append":
        data += noise(rng, rng.randrange(1, 4_000))
    else:
        at = rng.randrange(len(data) + 1)
        data[at:at] = noise(rng, rng.randrange(1, 40))
    path.write_bytes(data)
    return f"{kind} in {path.name}"


def leaves(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all nodes of a JSON document below its root."""
    items = node.items() if isinstance(node, dict) else enumerate(node[:8]) if isinstance(node, list) else ()
    found = [path] if path else []
    for key, value in items:
        found += leaves(value, (*path, key))
    return found


def mutate_json(document: Any, rng: random.Random) -> str:
    """Replace, remove or rename one node."""
    path = rng.choice(leaves(document))
    node = document
    for key in path[:-1]:
        node = node[key]
    kind = rng.choice(["replace", "replace", "replace", "remove", "deep"])
    if kind == "remove":
        del node[path[-1]]
    elif kind == "deep":
        nested: Any = 1
        for _ in range(200):
            nested = [nested]
        node[path[-1]] = nested
    else:
        node[path[-1]] = rng.choice(VALUES)
        return f"{'/'.join(map(str, path))} = {str(node[path[-1]])[:40]}"
    return f"{kind} {'/'.join(map(str, path))}"


def mutate_session(session: Path, rng: random.Random) -> str:
    files = sorted(file for file in session.rglob("*") if file.is_file())
    metadata = [file for file in files if file.name == "zarr.json"]
    chunks = [file for file in files if file.name != "zarr.json"]
    kind = rng.choice(["bytes", "bytes", "json", "json", "json", "remove", "link", "folder", "pipe", "bomb", "extra"])
    if kind == "bytes":
        return mutate_bytes(rng.choice(files), rng)
    if kind == "json":
        target = rng.choice([session / "zarr.json", *metadata])
        document = json.loads(target.read_text())
        what = mutate_json(document, rng)
        target.write_text(json.dumps(document))
        return f"{target.relative_to(session)}: {what}"
    target = rng.choice(files)
    name = str(target.relative_to(session))
    outside = session.parent.parent / OUTSIDE / "canary"
    if kind == "extra":
        (target.parent / rng.choice([".hidden", "c.999", "zarr.json.part", "ünïcödé"])).write_bytes(noise(rng, 100))
    elif kind == "bomb":
        target = rng.choice(chunks)
        frame = b"\x28\xb5\x2f\xfd\xe0" + rng.choice([2**33, 2**50]).to_bytes(8, "little") + noise(rng, 64)
        target.write_bytes(frame + crc32c(frame).to_bytes(4, "little"))
    else:
        target.unlink()
        if kind == "link":
            target.symlink_to(rng.choice([outside, Path("/dev/zero"), Path("/etc/passwd"), target]))
        elif kind == "pipe":
            os.mkfifo(target)
        elif kind == "folder":
            target.mkdir()
    return f"{kind} {name}"


def crc32c(data: bytes) -> int:
    import google_crc32c

    return int(google_crc32c.value(data))


def mutate_policy(policy: Path, rng: random.Random) -> str:
    if rng.random() < 0.4:
        return mutate_bytes(policy, rng)
    data = policy.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    if rng.random() < 0.7:
        ours = json.loads(header["__metadata__"]["twinplay"])
        what = mutate_json(ours, rng)
        header["__metadata__"]["twinplay"] = json.dumps(ours)
    else:
        what = mutate_json(header, rng)
    text = json.dumps(header).encode()
    policy.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    return what


def use_session(path: Path, policy: Policy) -> None:
    """Everything that a user does with a session; the first error of ours ends it."""
    Library(path.parent).sessions()
    session = Session.open(path)
    session.summary()
    read_details(session)
    review(session)
    if session.spec.sees_screen:
        PreviewWorker().thumbnail(str(path))
    _ = session.title, session.notes, session.tags
    _ = session.episodes, session.scores, session.keys, session.key_names, session.timing
    _ = session.actions, session.rewards, session.terminated, session.lives, session.time_ns
    for tick in {0, len(session) - 1} if len(session) else ():
        np.asarray(session.observations[tick])
    if len(session.episodes) > 1 and session.complete:
        for _ in splitting(path, 2, path.parent):
            pass
    edit(path, title="seen", excluded={episode.index: False for episode in session.episodes}, spans=[])
    learn_from(session)
    if session.spec.sees_screen:
        duel = Duel(session, policy)
        try:
            for _ in range(3):
                duel.tick()
        finally:
            duel.close()


def learn_from(session: Session) -> None:
    certificate = verify(session)
    assert certificate.ok or certificate.difference
    with contextlib.closing(Dataset([session], TrainConfig.for_env(session.spec.name))) as data:
        for _ in data.load():
            pass


def use_remote(path: Path, _: Policy) -> None:
    """Everything that a user does with a session at a URL; in an object store there are neither links nor pipes."""
    fs, library = fsspec.filesystem("memory"), f"memory://{path.parent.name}"
    fs.store.clear()
    for file in path.rglob("*"):
        if not file.is_symlink() and file.is_file():
            fs.pipe(f"{library}/{file.relative_to(path.parent).as_posix()}", file.read_bytes())
    Library(library).sessions()
    session = Session.open(f"{library}/{path.name}")
    session.summary()
    _ = session.title, session.notes, session.tags
    _ = session.episodes, session.scores, session.keys, session.key_names, session.timing
    _ = session.actions, session.rewards, session.terminated, session.lives, session.time_ns
    for tick in {0, len(session) - 1} if len(session) else ():
        np.asarray(session.observations[tick])
    learn_from(session)
    copy_session(session.place, path.parent / "pulled")


def use_policy(path: Path, _: Policy) -> None:
    """Everything that a user does with a policy."""
    read_header(path)
    policy = Policy.load(path, seed=0)
    policy.reset()
    policy.act(np.zeros(policy.spec.observation_shape, policy.spec.observation_dtype))


def attempt(folder: Path, rng: random.Random, good: Policy) -> dict[str, Any]:
    """Change something and use it."""
    kind = rng.choice([SESSIONS, SESSIONS, POLICIES])
    original = rng.choice(sorted((folder / kind).glob("[!.]*")))
    copy = folder / "work" / original.name
    use: Callable[[Path, Policy], None]
    try:
        if kind == SESSIONS:
            shutil.copytree(original, copy)
            what, use = mutate_session(copy, rng), rng.choice([use_session, use_session, use_remote])
        else:
            copy.parent.mkdir()
            shutil.copy(original, copy)
            what, use = mutate_policy(copy, rng), use_policy
        result = {"file": original.name, "what": what, "how": use.__name__}
        print(result, file=sys.stderr, flush=True)  # the last thing that is heard of it, if it ends the process
        return result | {"outcome": outcome(use, copy, good)}
    finally:
        shutil.rmtree(copy.parent, ignore_errors=True)


def outcome(use: Callable[[Path, Policy], None], copy: Path, good: Policy) -> str:
    """What using it leads to: "fine", a sentence, or what begins with FAILED."""
    try:
        use(copy, good)
    except TwinplayError as error:
        sentence = str(error)
        told = sentence and "\n" not in sentence and len(sentence) < 2_000
        return sentence if told else f"{FAILED}: {sentence}"
    except BaseException:
        return f"{FAILED}: {traceback.format_exc()}"
    return "fine"


def main() -> None:
    folder, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    good = Policy.load(folder / POLICIES / "breakout.safetensors")

    @seed(first)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(st.randoms(use_true_random=False))
    def use_what_was_changed(rng: random.Random) -> None:
        signal.alarm(HANG_S)  # kills this process; the caller then misses the last line
        result = attempt(folder, rng, good)
        print(json.dumps(result), flush=True)
        assert not result["outcome"].startswith(FAILED)

    with contextlib.suppress(AssertionError):
        use_what_was_changed()
    print(json.dumps({"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
