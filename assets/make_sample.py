"""Makes assets/sample/ from scratch: a short session of a scripted player, and a clone of twenty minutes of it.

python assets/make_sample.py [POLICY]     (a policy at hand, such as `twinplay demo` leaves, saves the training)

sample/about.json          what the two are, as the window tells it
sample/session.zip         the session's folder
sample/breakout.safetensors   the clone, its weights in half precision: half the size, and it plays as well
"""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from player.support.sample import TITLE, Sample
from recorder.agents.experts import BreakoutPlayer
from recorder.library.verify import verify
from recorder.recording.headless import record
from recorder.store.session import Session
from trainer.config import TrainConfig
from trainer.evaluation.evaluate import evaluate
from trainer.learn.fit import fit
from trainer.policy.header import read_header
from trainer.policy.policy import Policy

HERE = Path(__file__).parent / "sample"
SECONDS, GAMES = 75, 12


class SamplePlayer(BreakoutPlayer):
    """The scripted player, who says that this is the sample."""

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "title": TITLE}


def main(policy: Path | None) -> None:
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if policy is None:
            policy = folder / "breakout.safetensors"
            lesson = record("breakout", SamplePlayer(0), library=folder / "lesson", seconds=1_200, seed=0)
            for progress in fit([lesson], TrainConfig.for_env("breakout"), out=policy):
                print(f"{progress.stage} {100 * progress.fraction:.0f} % {progress.message}", flush=True)
        clone = HERE / "breakout.safetensors"
        halve(policy, clone)
        session = record("breakout", SamplePlayer(5), library=folder / "sample", seconds=SECONDS, seed=5)
        certificate = verify(session)
        assert certificate.ok, certificate.difference
        pack(session, HERE / "session.zip")
        *_, last = evaluate(clone, episodes=GAMES, seed=0, players=("clone",))
        assert last.report is not None
        score = last.report.rows[0]
        header = read_header(clone)
        about = {
            "session": session.name.replace("-breakout", "-sample-breakout"),
            "seconds": round(session.duration_s),
            "score": session.scores[0],
            "lesson_minutes": round(sum(each["ticks"] for each in header["sessions"]) / session.spec.rate_hz / 60),
            "clone": {"mean": score.mean, "low": score.low, "high": score.high, "games": GAMES},
            "created": header["created"],
        }
        (HERE / "about.json").write_text(json.dumps(about, indent=1) + "\n")
    print(f"{sum(file.stat().st_size for file in HERE.iterdir()) / 1e6:.1f} MB in {HERE}")
    print(Sample(HERE).sentence())


def halve(policy: Path, out: Path) -> None:
    """Store a policy's weights in half precision, and check that it can still be read."""
    with safe_open(policy, framework="pt") as file:
        metadata = file.metadata()
        names: list[str] = file.keys()
        tensors = {name: file.get_tensor(name) for name in names}
    halves = {key: value.half() if value.dtype is torch.float32 else value for key, value in tensors.items()}
    save_file(halves, out, metadata)
    Policy.load(out)


def pack(session: Session, out: Path) -> None:
    """The session's folder as a zip; the same session gives the same bytes."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(session.path.rglob("*")):
            if file.is_file():
                archive.writestr(zipfile.ZipInfo(file.relative_to(session.path).as_posix()), file.read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
