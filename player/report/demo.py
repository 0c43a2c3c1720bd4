"""The whole loop on scripted players, without a screen: record, verify, train, evaluate, export a video, report."""

from __future__ import annotations

import platform
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from player.film.compose import compose
from player.film.film import film
from player.report.html import Chapter, TableRow, write_report
from player.report.plots import BLUE, ORANGE, Bar, Curve, bars, curves
from player.watch.duel import Duel
from recorder.agents.experts import scripted
from recorder.errors import TwinplayError
from recorder.library.verify import Certificate, verify
from recorder.recording.headless import record
from recorder.store.session import Session
from recorder.system.texts import duration_text
from trainer.config import TrainConfig
from trainer.progress.records import Progress


@dataclass(frozen=True)
class DemoLine:
    """A line of the demo's output; `failed` is set in the last one if a clone did not reach its `bar`."""

    text: str
    failed: str = ""


@dataclass(frozen=True)
class Plan:
    """What the demo does in one environment. The clone's mean score must exceed `bar` (None in a quick demo)."""

    env: str
    title: str
    record: dict[str, Any]
    config: TrainConfig
    episodes: int
    film_s: float
    bar: float | None


def plans(quick: bool) -> tuple[Plan, ...]:
    """The demo's two parts. Their sizes are chosen so that both together take under six minutes on two cores."""
    if quick:
        tiny: dict[str, Any] = {"max_batches": 15, "batch_size": 16, "checks": 1, "play_games": 1, "play_ticks": 60}
        hopper = TrainConfig.for_env("hopper", **tiny | {"max_batches": 60})
        return (
            Plan("breakout", "Breakout", {"seconds": 10}, TrainConfig.for_env("breakout", **tiny), 1, 0.5, None),
            Plan("hopper", "Hopper", {"episodes": 2}, hopper, 2, 0.3, None),
        )
    return (
        Plan(
            "breakout", "Breakout", {"seconds": 1_200}, TrainConfig.for_env("breakout", preset="quick"), 6, 20.0, 20.0
        ),
        Plan("hopper", "Hopper", {"episodes": 10}, TrainConfig.for_env("hopper", preset="quick"), 10, 8.0, 1_000.0),
    )


def run(out: Path, quick: bool = False) -> Iterator[DemoLine]:
    """Run the demo and write its results to the folder `out`; yields lines of progress.

    Raises TwinplayError when a step fails.
    """
    started = time.monotonic()
    chapters = []
    failures = []
    for plan in plans(quick):
        chapter = yield from _chapter(plan, out, started)
        chapters.append(chapter)
        if not chapter.passed:
            failures.append(f"the {plan.title} clone did not reach a mean score of {plan.bar:,.0f}")
    minutes = (time.monotonic() - started) / 60
    report = out / "report.html"
    lead = (
        "Recorded, verified, trained, scored and exported as video, without a person and without a screen. "
        f"The demonstrators are scripted players. It took {minutes:.1f} minutes."
    )
    write_report(report, "Twinplay demo", lead, chapters, f"Python {platform.python_version()}, {platform.system()}.")
    yield DemoLine(_stamp(started, f"report: {report}"), "; ".join(failures))


def _stamp(started: float, text: str) -> str:
    return f"[{duration_text(time.monotonic() - started)}] {text}"


def _chapter(plan: Plan, out: Path, started: float) -> Generator[DemoLine, None, Chapter]:
    from trainer.evaluation.evaluate import evaluate
    from trainer.learn.fit import fit

    name = plan.title
    yield DemoLine(_stamp(started, f"{name}: recording the scripted player"))
    session = record(plan.env, scripted(plan.env, seed=0), library=out / "library", seed=0, **plan.record)
    scores = session.scores
    yield DemoLine(
        _stamp(
            started,
            f"{name}: {len(session):,} ticks ({session.duration_s / 60:.1f} minutes of play), mean score "
            f"{sum(scores) / len(scores):,.0f}, {session.size_bytes / len(session):.0f} bytes per tick; verifying",
        )
    )
    certificate = verify(session)
    if not certificate.ok:
        raise TwinplayError(f"{session.path} could not be verified: {certificate.difference}")
    yield DemoLine(_stamp(started, f"{name}: verified bit for bit; training"))
    policy = out / f"{plan.env}.safetensors"
    history: list[Progress] = []
    told = time.monotonic()
    for progress in fit([session], plan.config, out=policy):
        history.append(progress)
        if time.monotonic() - told > 20 and progress.stage == "train":
            told = time.monotonic()
            yield DemoLine(_stamp(started, f"{name}: training {100 * progress.fraction:.0f} %, {_figures(progress)}"))
    yield DemoLine(_stamp(started, f"{name}: trained, {history[-1].batch:,} batches; playing games from unseen starts"))
    *_, last = evaluate(policy, episodes=plan.episodes, seed=0)
    report = last.report
    assert report is not None
    for row in report.rows:
        text = f"{name}: {row.label} {row.mean:,.0f} (95 % interval {row.low:,.0f} to {row.high:,.0f})"
        yield DemoLine(_stamp(started, text))
    yield DemoLine(_stamp(started, f"{name}: exporting the video"))
    video = out / f"{plan.env}.mp4"
    with Duel(session, policy) as duel:
        for _ in film(duel, video, seconds=plan.film_s):
            pass
        picture = compose(duel.frame())
    clone = report.rows[0]
    passed = plan.bar is None or clone.mean > plan.bar
    return _write_up(plan, session, certificate, history, report, video, picture, passed)


def _write_up(
    plan: Plan,
    session: Session,
    certificate: Certificate,
    history: list[Progress],
    report: Any,
    video: Path,
    picture: Any,
    passed: bool,
) -> Chapter:
    clone, demonstrator, chance = report.rows
    last = history[-1]
    verdict = (
        f"The clone scored {clone.mean:,.0f} on average; its demonstrator {demonstrator.mean:,.0f}, "
        f"a random player {chance.mean:,.0f}."
    )
    facts = [
        ("Demonstrator", demonstrator.label),
        ("Play recorded", f"{session.duration_s / 60:.1f} minutes, {len(session):,} ticks"),
        ("On disk", f"{session.size_bytes / len(session):.1f} bytes a tick"),
        ("Certificate", f"{certificate.ticks:,} ticks bit for bit"),
        ("Network", plan.config.network),
        ("Training", f"{last.batch:,} batches, {last.seconds:.0f} s"),
        ("Clone / demonstrator", f"{report.ratio:.2f}" if report.ratio is not None else "not known"),
    ]
    return Chapter(
        name=plan.title,
        verdict=verdict,
        passed=passed,
        honesty="The demonstrator is a scripted player, not a person. Nothing helps the clone while it plays.",
        facts=facts,
        bars=bars([Bar(r.player, r.label, r.mean, r.low, r.high) for r in report.rows], "mean score"),
        curves=_training_plots(history),
        rows=[TableRow(r.label, r.mean, r.low, r.high, len(r.returns), r.distinct) for r in report.rows],
        film=video,
        picture=picture,
    )


def _training_plots(history: list[Progress]) -> list[str]:
    trained = [p for p in history if p.stage == "train"]

    def line(name: str, field: str, colour: str) -> Curve:
        points = [(p.seconds, getattr(p, field)) for p in trained if getattr(p, field) is not None]
        return Curve(name, [x for x, _ in points], [y for _, y in points], colour)

    discrete = any(p.accuracy is not None for p in trained)
    loss = [line("training", "loss", BLUE), line("held-out episodes", "val_loss", ORANGE)]
    plots = [curves(loss, "seconds", "loss", logarithmic=not discrete)]
    if discrete:
        accuracy = [line("training", "accuracy", BLUE), line("held-out episodes", "val_accuracy", ORANGE)]
        plots.append(curves(accuracy, "seconds", "accuracy"))
    if any(p.score is not None for p in trained):
        plots.append(curves([line("score in short games", "score", ORANGE)], "seconds", "mean score"))
    return plots


def _figures(progress: Progress) -> str:
    loss = f"loss {progress.loss:.4f}" if progress.loss is not None else ""
    return loss if progress.accuracy is None else f"{loss}, accuracy {100 * progress.accuracy:.0f} %"
