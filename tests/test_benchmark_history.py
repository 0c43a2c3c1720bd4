"""The line that each whole run of the benchmarks adds to docs/bench.md."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.history import Run, add, processor, read


def test_a_run_adds_a_line_and_what_became_worse_on_the_same_processor_is_told(tmp_path: Path) -> None:
    file = tmp_path / "bench.md"
    file.write_text("# Benchmarks\n\n## Reading\n\nfigures\n")
    assert add(file, Run("2026-01-01", "aaa", "Fast", {"reading": 4.0, "recording": 0.8})) == []
    assert add(file, Run("2026-01-02", "bbb", "Slow", {"reading": 2.0})) == []
    told = add(file, Run("2026-01-03", "ccc", "Fast", {"reading": 3.5, "recording": 0.75, "games": 2.0}))
    assert told == ["reading: 3.50, was 4.00 on 2026-01-01 (aaa)"]
    text = file.read_text()
    assert text.startswith("# Benchmarks\n\n## Reading\n\nfigures\n\n## History\n")
    assert "| 2026-01-02 | bbb | Slow | 2.00 |  |  |" in text
    assert [run.ratios for run in read(text)] == [
        {"reading": 4.0, "recording": 0.8},
        {"reading": 2.0},
        {"reading": 3.5, "recording": 0.75, "games": 2.0},
    ]


def test_the_processor_has_a_name() -> None:
    assert processor()
    assert "|" not in processor()
