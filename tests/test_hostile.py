"""Sessions and policies from strangers: whatever is wrong with them, one clear sentence and no harm."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from recorder import RandomAgent, get_spec, record
from recorder.agents.experts import scripted
from tests.hostile import FAILED, OUTSIDE, POLICIES, SESSIONS
from trainer import TrainConfig, fit

MUTATIONS = 200


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    make_originals(folder)
    return folder


def make_originals(folder: Path) -> None:
    """Small valid sessions and policies, and a file outside of them that nobody may touch."""
    for name in (SESSIONS, POLICIES, OUTSIDE):
        (folder / name).mkdir()
    (folder / OUTSIDE / "canary").write_text("untouched")
    game = record("breakout", scripted("breakout", seed=1), library=folder / SESSIONS, seconds=2.5)
    hop = record("hopper", RandomAgent(get_spec("hopper"), 1), library=folder / SESSIONS, episodes=2)
    for session in (game, hop):
        name = session.spec.name
        config = TrainConfig.for_env(name, max_batches=2, play_games=0, checks=0)
        for _ in fit([session], config, out=folder / POLICIES / f"{name}.safetensors"):
            pass


def mutate(folder: Path, seed: int, count: int) -> tuple[list[dict[str, str]], int]:
    """The results of about `count` mutations, and the most memory that they took in bytes; see tests.hostile."""
    command = [sys.executable, "-m", "tests.hostile", str(folder), str(seed), str(count)]
    process = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    *results, last = map(json.loads, process.stdout.splitlines())
    assert "peak_bytes" in last, f"seed {seed} ended the process: {process.stderr[-2_000:]}"
    return results, last["peak_bytes"]


def check_mutations(folder: Path, seed: int, count: int) -> tuple[int, int, int]:
    """Mutate and check; returns how many were tried, how many of them did no harm, and the peak of memory in bytes."""
    results, peak_bytes = mutate(folder, seed, count)
    failures = [result for result in results if result["outcome"].startswith(FAILED)]
    assert not failures, f"seed {seed}: {failures[-1]}"  # the smallest
    assert (folder / OUTSIDE / "canary").read_text() == "untouched"
    assert sorted(path.name for path in folder.iterdir()) == sorted([OUTSIDE, POLICIES, SESSIONS])
    return len(results), sum(result["outcome"] == "fine" for result in results), peak_bytes


def test_mutated_sessions_and_policies_are_refused_in_one_sentence_or_do_no_harm(
    originals: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    tried, harmless, peak_bytes = check_mutations(originals, seed, MUTATIONS)
    with capsys.disabled():
        print(f" [seed {seed}: {tried - harmless} refused, {harmless} harmless, {peak_bytes / 1e6:.0f} MB]", end="")
    assert tried >= MUTATIONS
