"""`twinplay coach`: rounds of correction by a scripted supervisor, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from player.cli import main


def test_coaching_scores_each_round_beside_plain_play_and_does_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library, policy, out = tmp_path / "library", tmp_path / "poor.safetensors", tmp_path / "coached"
    assert main(["record", "hopper", "--episodes", "1", "--library", str(library)]) == 0
    sessions = [str(path) for path in library.glob("*.zarr")]
    few = ("--max-batches", "40", "--set", "play_games=1", "--set", "checks=0", "--set", "threads=1", "--no-run")
    assert main(["train", *sessions, "--out", str(policy), *few]) == 0
    command = ["coach", str(policy), "--rounds", "1", "--minutes", "0.05", "--episodes", "2", "--out", str(out)]
    capsys.readouterr()

    assert main([*command, "--library", str(library), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    found = {(row["who"], row["round"]): row for row in rows}
    assert set(found) == {("clone", 0), ("demonstrator", 0), ("supervisor", 0), ("corrected", 1), ("plain play", 1)}
    assert found["corrected", 1]["takeovers"] >= 1
    assert found["corrected", 1]["corrected_s"] > 0
    assert found["demonstrator", 0]["mean"] > 3_000 > found["clone", 0]["mean"]

    written = {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}
    assert len(written) == 2
    assert main([*command, "--library", str(library), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == rows
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")} == written

    for other, problem in (
        (["--library", str(tmp_path / "elsewhere")], "which is not in"),
        (["--library", str(library), "--seed", "1"], "has the rounds of another policy, seed or length"),
    ):
        assert main([*command, *other]) != 0
        assert problem in capsys.readouterr().err
    (out / "results.json").write_text('{"rows": 3}')
    assert main([*command, "--library", str(library)]) != 0
    told = capsys.readouterr().err
    assert "results.json is damaged" in told
    assert len(told.splitlines()) == 1
