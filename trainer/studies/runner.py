"""Runs studies: several trainings that answer one question; resumable, with a table at the end.

    Study ─▶ rows ─▶ cells (a row × a training seed) ─▶ record, train, evaluate ─▶ OUT/<study>/<cell>.json ─▶ table.md

A finished cell is not run again, and an interrupted training resumes from its last checkpoint. So a study can be
stopped at any moment and continued with another selection of rows. Other programs can read it: a result is plain JSON
with the scores of every game.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec.structs import replace

from recorder.agents.experts import scripted
from recorder.envs.registry import get_spec
from recorder.errors import TwinplayError, UsageError
from recorder.library.library import Library, ensure_writable
from recorder.recording.headless import record
from recorder.store.session import Session
from recorder.system.cores import available_cores
from recorder.system.files import replacing
from recorder.system.jobs import run_parallel
from trainer.config import TrainConfig
from trainer.evaluation.evaluate import evaluate
from trainer.evaluation.scores import bootstrap, bootstrap_difference
from trainer.learn.checkpoint import is_of
from trainer.learn.fit import fit
from trainer.policy.action_selection import ActionSelection
from trainer.policy.header import read_header
from trainer.progress.curves import Curves, FollowedCurves
from trainer.studies.catalogue import Finding, Row, Study

_CLONE_ALONE = ("sampled", "greedy", "unshifted")
_RULES = {"row": "---", "play": "---", "each seed": "---"}  # columns of text; numbers are right-aligned


@dataclass(frozen=True)
class StudyProgress:
    """The number of finished cells, out of all, and the latest event; the last record has the table's file."""

    done: int
    total: int
    message: str = ""
    table: Path | None = None


def run_study(
    study: Study, out: Path, *, jobs: int = 1, only: str = "", overrides: Mapping[str, Any] | None = None
) -> Generator[StudyProgress, None, None]:
    """Run the missing cells of a study in the folder `out`, `jobs` at a time, and write its table.

    `only` chooses rows (see Study.rows_with); `overrides` are settings for every training. Raises UsageError if no
    row is chosen, and LibraryError if the folder cannot be written.
    """
    chosen = study.rows_with(only)
    if not chosen:
        names = ", ".join(row.name for row in study.rows)
        raise UsageError(f"no row of the study {study.name} has {only!r} in its name; the rows are: {names}")
    folder = out / study.name
    ensure_writable(folder)
    # Every row's first seed comes first, so that a stopped study has results for all rows.
    cells = [
        (row, row.seeds[n]) for n in range(max(len(r.seeds) for r in chosen)) for row in chosen if n < len(row.seeds)
    ]
    missing = [cell for cell in cells if not _finished(folder, *cell, study.episodes, overrides or {})]
    done = len(cells) - len(missing)
    yield StudyProgress(done, len(cells), f"{done} of {len(cells)} cells are already finished" if done else "")
    for row in {_library(out, row): row for row, _ in missing}.values():
        yield StudyProgress(done, len(cells), f"recording {_amount(row)} of {_demonstrator(row)}")
        demonstration(out, row)
    threads = available_cores(sharing=jobs)
    arguments = [
        {
            "out": str(out),
            "folder": str(folder),
            "row": row,
            "seed": seed,
            "episodes": study.episodes,
            "config": _settings(row, seed, overrides or {}).with_changes(threads=threads),
        }
        for row, seed in missing
    ]
    with contextlib.closing(run_parallel("trainer.studies.runner:run_cell", arguments, jobs)) as trained:
        for index, seconds in trained:
            row, seed = missing[index]
            done += 1
            yield StudyProgress(done, len(cells), f"{row.name}, seed {seed}: done in {seconds / 60:.0f} minutes")
    table = folder / "table.md"
    table.write_text(markdown(study, folder), encoding="utf-8")
    yield StudyProgress(done, len(cells), f"the table is {table}", table)


def demonstration(out: Path, row: Row) -> Session:
    """The session that a row learns from. It is recorded if missing; rows that need the same one share it."""
    library = _library(out, row)
    seconds = None if row.games else round(row.minutes * 60)
    for summary in Library(library).sessions() if library.is_dir() else []:
        whole = summary.episodes >= row.games if row.games else round(summary.seconds) >= (seconds or 0)
        if not summary.problem and whole:
            return Session.open(summary.path)
    ensure_writable(library)
    agent = scripted(row.env, 0, style=row.style)
    return record(row.env, agent, library=library, episodes=row.games, seconds=seconds, seed=0)


def run_cell(out: str, folder: str, row: Row, seed: int, episodes: int, config: TrainConfig) -> float:
    """Train and evaluate one cell and write its result; returns the seconds of training."""
    target = _result_path(Path(folder), row, seed)
    policy = target.with_suffix(".safetensors")
    session = demonstration(Path(out), row)
    curves = _train(target, session, config)
    header = read_header(policy)
    reports = {}
    alike = ("alike",) if header.get("alike") is not None else ()
    for way in row.ways + (row.first_ways if seed == row.seeds[0] else ()) + alike:
        *_, last = evaluate(
            policy,
            episodes=episodes,
            seed=0,
            sticky=0.25 if way == "sticky" else 0.0,
            players=_players(row, way),
            selection=_way(way, policy),
            alike=way == "alike",
            processes=config.threads,
        )
        assert last.report is not None
        reports[way] = last.report.to_json()
    result = {
        "row": asdict(row),
        "seed": seed,
        "settings": config.to_json(),
        "training": header["training"],
        "play": header["play"],
        "curve": [{"batch": int(b), "score": s} for b, s in zip(curves.play_batch, curves.play_score, strict=True)],
        "losses": _losses(curves),
        "minutes_of_play": session.duration_s / 60,
        "games_of_play": len(session.scores),
        "reports": reports,
        "machine": {"cores": available_cores(), "gpu": torch.cuda.is_available()},
    }
    with replacing(target) as part:
        part.write_text(json.dumps(result, indent=1), encoding="utf-8")
    target.with_suffix(".progress").unlink()
    return float(header["training"]["seconds"])


def _train(target: Path, session: Session, config: TrainConfig) -> Curves:
    """Train a cell's policy and return its curves.

    If the cell has a checkpoint with these settings, training and curves continue from there.
    """
    checkpoint, told = target.with_suffix(".checkpoint"), target.with_suffix(".progress")
    if not is_of(checkpoint, config):
        checkpoint.unlink(missing_ok=True)
        told.unlink(missing_ok=True)
    before = FollowedCurves(told)
    while before.read():
        pass
    curves = before.curves
    with told.open("a", encoding="utf-8") as lines:
        for progress in fit([session], config, out=target.with_suffix(".safetensors"), checkpoint=checkpoint):
            curves.take(progress)
            lines.write(progress.to_line())
            lines.flush()
    return curves


def _losses(curves: Curves) -> list[dict[str, Any]]:
    """For every validation: its batch, and the errors and accuracies (None for continuous actions), as JSON."""
    trained = {batch: told for batch, *told in zip(curves.batch, curves.loss, curves.accuracy, strict=True)}
    rows = [
        (int(batch), *trained[batch], *told)
        for batch, *told in zip(curves.val_batch, curves.val_loss, curves.val_accuracy, strict=True)
    ]
    names = ("batch", "loss", "accuracy", "val_loss", "val_accuracy")
    return [{name: None if math.isnan(x) else x for name, x in zip(names, row, strict=True)} for row in rows]


def _settings(row: Row, seed: int, overrides: Mapping[str, Any]) -> TrainConfig:
    return TrainConfig.for_env(row.env, **{"seed": seed, **row.settings, **overrides})


def _finished(folder: Path, row: Row, seed: int, episodes: int, overrides: Mapping[str, Any]) -> bool:
    """Whether the cell has a result with exactly these settings."""
    path = _result_path(folder, row, seed)
    if not path.exists():
        return False
    result = _read(path)
    same = TrainConfig.from_json(result["settings"]).with_changes(threads=None) == _settings(row, seed, overrides)
    return same and all(report["episodes"] == episodes for report in result["reports"].values())


def _read(path: Path) -> dict[str, Any]:
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(result, dict) or not {"row", "settings", "reports"} <= set(result):
            raise ValueError("its row, settings or reports are missing")
    except (ValueError, OSError) as error:
        raise TwinplayError(
            f"{path} is not the result of a study ({error}); delete it and run the study again"
        ) from None
    return result


def _players(row: Row, way: str) -> tuple[str, ...]:
    if way in _CLONE_ALONE:
        return ("clone",)
    return ("clone", "demonstrator", "random") if row.random and way == "chosen" else ("clone", "demonstrator")


def _way(way: str, policy: Path) -> ActionSelection | None:
    if way not in _CLONE_ALONE:
        return None
    chosen = ActionSelection.from_json(read_header(policy)["play"])
    if way == "unshifted":
        return replace(chosen, output=0)
    return replace(chosen, temperature=1.0 if way == "sampled" else 0.0, prior=(), pull=None)


def results(folder: Path) -> list[dict[str, Any]]:
    """The finished cells in a study's folder. Raises TwinplayError, naming the file, if one cannot be read."""
    return [_read(path) for path in sorted(folder.glob("*.json")) if not path.name.startswith(".")]


def markdown(study: Study, folder: Path) -> str:
    """The table of the finished cells, a line per row and way of evaluation.

    The clone's interval is over its games of all training seeds; the next column has the mean of each seed.
    """
    cells = results(folder)
    table: list[dict[str, str]] = []
    for row in study.rows:
        mine = [cell for cell in cells if cell["row"]["name"] == row.name]
        for way in (*row.ways, *row.first_ways, "alike"):
            reports = [cell["reports"][way] for cell in mine if way in cell["reports"]]
            if reports:
                table.append(_line(row, way, mine, reports))
    lines = [f"# {study.title}", ""]
    if table:
        columns = [column for column in table[0] if any(line[column] for line in table)]
        lines += [f"| {' | '.join(columns)} |", f"|{'|'.join(_RULES.get(c, '---:') for c in columns)}|"]
        lines += [f"| {' | '.join(line[column] for column in columns)} |" for line in table]
    lines += ["", study.note] if study.note and table else []
    lines += [line for sentence in findings_text(study, cells) for line in ("", sentence)]
    return "\n".join(lines) + "\n"


def findings_text(study: Study, cells: Sequence[dict[str, Any]]) -> list[str]:
    """Tests the study's claims: a sentence for its first amount of play, and one for all others together.

    A pair of rows supports or contradicts a claim if the 95 % bootstrap interval of the difference of their means does
    not contain zero. A sentence needs all of its rows.
    """
    amounts = list(dict.fromkeys(_amount(row) for row in study.rows))
    sentences = []
    for group in filter(None, (amounts[:1], amounts[1:])):
        said = [_verdict(finding, group, cells) for finding in study.findings]
        if said and all(said):
            sentences.append(f"From {_together(group)}, {'; '.join(said)}.")
    return sentences


def _together(amounts: Sequence[str]) -> str:
    """For example "1, 4 and 11 games" from "1 game", "4 games" and "11 games"."""
    *first, last = amounts
    return f"{', '.join(amount.split()[0] for amount in first)} and {last}" if first else last


def _verdict(finding: Finding, amounts: Sequence[str], cells: Sequence[dict[str, Any]]) -> str:
    verdicts, figures = [], []
    for pair in finding.pairs:
        games = [[clone_games(cells, f"{name}; {amount}") for amount in amounts] for name in pair]
        if not all(all(each) for each in games):
            return ""
        better, worse = (list(chain.from_iterable(each)) for each in games)
        low, high = bootstrap_difference(better, worse)
        verdicts.append("holds" if low > 0 else "is reversed" if high < 0 else "makes no clear difference")
        figures.append(f"{np.mean(better):,.0f} with {pair[0]} against {np.mean(worse):,.0f} with {pair[1]}")
    verdict = verdicts[0] if len(set(verdicts)) == 1 else f"depends ({', '.join(verdicts)})"
    return f"{finding.claim} {verdict} ({'; '.join(figures)})"


def clone_games(cells: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    """The scores of a row's clones over all training seeds, playing as test games chose."""
    mine = [cell for cell in cells if cell["row"]["name"] == name]
    return [score for cell in mine for score in _player(cell["reports"]["chosen"], "clone")["returns"]]


def demonstrator_mean(cells: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    """The mean score of a row's demonstrator, for each training seed."""
    return [_player(c["reports"]["chosen"], "demonstrator")["mean"] for c in cells if c["row"]["name"] == name]


def _line(row: Row, way: str, cells: Sequence[dict[str, Any]], reports: Sequence[dict[str, Any]]) -> dict[str, str]:
    games = [score for report in reports for score in _player(report, "clone")["returns"]]
    if way in row.first_ways:
        cells = cells[:1]
    mean, low, high = bootstrap(games)
    means = [_player(report, "clone")["mean"] for report in reports]
    beside = [cell["reports"].get(way if way == "sticky" else "chosen", {}) for cell in cells]
    teachers = [_player(report, "demonstrator")["mean"] for report in beside if report]
    teacher = sum(teachers) / len(teachers) if teachers else 0.0
    chance = _player(beside[0], "random") if row.random and beside[0] else None
    accuracies = [cell["training"]["validation_accuracy"] for cell in cells]
    batches = sum(cell["training"]["batches"] for cell in cells) / len(cells)
    seconds = sum(cell["training"]["seconds"] for cell in cells) / len(cells)
    operations = [cell["training"].get("operations") for cell in cells]
    temperature = ", ".join(sorted({_sharpness(cell["play"]) for cell in cells}))
    shifts = sorted({TrainConfig.from_json(cell["settings"]).shift_of(cell["play"]["output"]) for cell in cells})
    shifted = f", {'/'.join(map(str, shifts))} ticks quicker" if any(shifts) else ""
    selection = {
        "chosen": f"chosen: {temperature}{shifted}",
        "sticky": f"sticky 0.25, {temperature}{shifted}",
        "alike": "like its player",
    }.get(way, way)
    apart = [report["likeness"]["classifier"] for report in reports if report.get("likeness")]
    falls = sum(outcome == "game over" for report in reports for outcome in _player(report, "clone")["outcomes"])
    discrete = get_spec(row.env).discrete
    return {
        "row": row.name,
        "play": selection if discrete else "",
        "recorded": _amount(row) if row.games else f"{cells[0]['minutes_of_play']:.0f} min",
        "training": f"{batches:,.0f} batches, {seconds / 60:.1f} min",
        "operations": f"{np.mean(operations):.1e}" if all(operations) else "",
        "accuracy": f"{100 * float(np.mean(accuracies)):.0f} %" if discrete else "",
        "the article": f"{row.published:,.0f}" if row.published else "",
        "demonstrator": _interval(_player(beside[0], "demonstrator")) if chance else f"{teacher:,.0f}",
        "clone (95 % interval)": _interval({"mean": mean, "low": low, "high": high}),
        "random player": _interval(chance) if chance else "",
        "ratio": _ratio(mean, teacher, chance["mean"] if chance else 0.0),
        "told apart": f"{100 * float(np.mean(apart)):.0f} %" if apart and discrete else "",
        "falls": "" if discrete else f"{falls} of {len(games)}",
        "each seed": ", ".join(f"{m:,.0f}" for m in means),
    }


def _interval(score: Mapping[str, Any]) -> str:
    return f"{score['mean']:,.0f} ({score['low']:,.0f} to {score['high']:,.0f})"


def _ratio(clone: float, teacher: float, chance: float) -> str:
    """How much of its demonstrator's score a clone has, counted from a random player's (Mnih et al. 2015)."""
    return f"{(clone - chance) / (teacher - chance):.2f}" if teacher != chance else ""


def _sharpness(play: Mapping[str, Any]) -> str:
    return "like its player" if play.get("pull") else f"T {play['temperature']:g}"


def _player(report: Mapping[str, Any], player: str) -> dict[str, Any]:
    found: dict[str, Any] = next((score for score in report["rows"] if score["player"] == player), {"mean": 0.0})
    return found


def _library(out: Path, row: Row) -> Path:
    amount = f"{row.games}games" if row.games else f"{row.minutes:g}min"
    return out / "sessions" / f"{row.env}-{row.style or 'default'}-{amount}"


def _amount(row: Row) -> str:
    return (f"{row.games} games" if row.games > 1 else "1 game") if row.games else f"{row.minutes:g} minutes"


def _demonstrator(row: Row) -> str:
    return f"{row.env}, the scripted player{f' ({row.style})' if row.style else ''}"


def _result_path(folder: Path, row: Row, seed: int) -> Path:
    slug = "".join(c if c.isalnum() else "-" for c in row.name.lower()).strip("-")
    while "--" in slug:
        slug = slug.replace("--", "-")
    return folder / f"{slug}-seed{seed}.json"
