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
from tests.hostile import OUTSIDE, POLICIES, SESSIONS
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


def mutate(folder: Path, first: int, count: int) -> list[dict[str, object]]:
    """The results of `count` mutations from seed `first` on; see tests.hostile."""
    command = [sys.executable, "-m", "tests.hostile", str(folder), str(first), str(count)]
    process = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    results = [json.loads(line) for line in process.stdout.splitlines()]
    assert len(results) == count, f"seed {first + len(results)} ended the process: {process.stderr[-2_000:]}"
    return results


def check_mutations(folder: Path, first: int, count: int) -> str:
    """Mutate and check; returns what happened in a few words."""
    results = mutate(folder, first, count)
    failures = [result for result in results if str(result["outcome"]).startswith("FAILED")]
    assert failures == []
    assert (folder / OUTSIDE / "canary").read_text() == "untouched"
    assert sorted(path.name for path in folder.iterdir()) == sorted([OUTSIDE, POLICIES, SESSIONS])
    harmless = sum(result["outcome"] == "fine" for result in results)
    return f"{count} mutations from seed {first}: {count - harmless} refused in a sentence, {harmless} harmless"


def test_mutated_sessions_and_policies_are_refused_in_one_sentence_or_do_no_harm(
    originals: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    what = check_mutations(originals, random.SystemRandom().randrange(1_000_000), MUTATIONS)
    with capsys.disabled():
        print(f" [{what}]", end="")
