"""What each command of the command line does; `options` are those of `player.cli.build_parser`."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from recorder.agents import Agent, RandomAgent, player_title
from recorder.envs import get_spec
from recorder.errors import TwinplayError, UsageError
from recorder.experts import scripted
from recorder.library import Library, ensure_writable
from recorder.recording import recording
from recorder.session import Session
from recorder.verify import verifying
from trainer.errors import PolicyError

_PLAIN_S = 5.0  # between progress lines where there is no terminal


class _Meter:
    """Progress on stderr: a bar on a terminal, a line now and then elsewhere, nothing where JSON is asked for."""

    def __init__(self, title: str, quiet: bool = False) -> None:
        self._title = title
        self._quiet = quiet
        self._printed = 0.0
        self._bar: Progress | None = None
        if not quiet and sys.stderr.isatty():
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[note]}"),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(title, total=1.0, note="")

    def __enter__(self) -> _Meter:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, fraction: float | None, note: str, title: str | None = None) -> None:
        if self._quiet:
            return
        self._title = title or self._title
        if self._bar is not None:
            self._bar.update(self._task, completed=fraction or 0.0, note=note, description=self._title)
        elif time.monotonic() - self._printed >= _PLAIN_S:
            self._printed = time.monotonic()
            share = "" if fraction is None else f"{100 * fraction:3.0f} %  "
            print(f"{self._title}: {share}{note}", file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """A line that stays."""
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)


def session_path(given: str, library: Path | None) -> Path:
    """A session given as a path, or by its name in the library. Raises SessionError where there is none."""
    path = Path(given)
    return path if path.exists() or os.sep in given else Library(library).find(given)


def check_output(path: Path, *suffixes: str) -> None:
    """Refuse a place that cannot be written, before any work goes into it. Raises UsageError or LibraryError."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file ending in {' or '.join(suffixes)}")
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: the folder {path.parent} does not exist; make it first")
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"{path} must end in {' or '.join(suffixes)}")
    ensure_writable(path.parent)


def record(options: Namespace) -> int:
    """See the command's help."""
    spec = get_spec(options.env)
    agent: Agent
    if options.style is not None and options.player != "scripted":
        raise UsageError("--style is of the scripted player; leave it out, or use --player scripted")
    if options.player == "scripted":
        agent = scripted(spec.name, options.seed, style=options.style)
    elif options.player == "random":
        agent = RandomAgent(spec, options.seed)
    else:
        if not Path(options.player).exists():
            raise UsageError(f"--player {options.player} is neither scripted, nor random, nor a policy file")
        from trainer.policy import Policy

        policy = Policy.load(options.player, seed=options.seed)
        if policy.spec.name != spec.name:
            raise PolicyError(f"{options.player} plays {policy.spec.title}, not {spec.title}; choose another policy")
        agent = policy
    library = Library(options.library)
    episodes = options.episodes if options.episodes or options.seconds else 5
    session: Session | None = None
    with (
        _Meter(f"recording {spec.title}", options.json) as meter,
        contextlib.closing(
            recording(
                spec.name, agent, library=library.path, episodes=episodes, seconds=options.seconds, seed=options.seed
            )
        ) as steps,
    ):
        for step in steps:
            session = step.session
            meter.show(
                step.fraction, f"{step.ticks:,} ticks, {_count(step.episodes, 'game')}, {step.ticks_per_second:,.0f}/s"
            )
    assert session is not None
    scores = session.games
    if options.json:
        facts = {"path": str(session.path), "ticks": len(session), "scores": scores, "player": session.player}
        print(json.dumps(facts))
    else:
        print(
            f"{session.path}: {len(session):,} ticks in {_count(len(scores), 'game')}, "
            f"played by {describe_player(session.player)}, "
            f"mean score {sum(scores) / len(scores):,.1f}, {session.size_bytes / len(session):.0f} bytes a tick"
        )
    return 0


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def describe_player(player: dict[str, Any]) -> str:
    """Who played, with what kind of player that is; nothing scripted passes for a person."""
    title = player_title(player)
    text = f"{player.get('kind', '?')} {player.get('name', '')}".strip()
    return f"{title}: {text}" if title else text


def verify(options: Namespace) -> int:
    """See the command's help."""
    failures = 0
    for given in options.sessions:
        path = session_path(given, options.library)
        certificate = None
        with _Meter(f"verifying {path.name}", options.json) as meter:
            for step in verifying(Session.open(path)):
                certificate = step.certificate
                meter.show(step.ticks / max(1, step.total), f"{step.ticks:,} of {step.total:,} ticks")
        assert certificate is not None
        failures += not certificate.ok
        if options.json:
            facts = {"path": str(path), "ok": certificate.ok, "ticks": certificate.ticks}
            print(json.dumps({**facts, "difference": certificate.difference, "digest": certificate.digest}))
        elif certificate.ok:
            notes = "".join(f" ({note})" for note in certificate.notes)
            print(f"{path}: verified, {certificate.ticks:,} ticks bit for bit in {certificate.seconds:.1f} s{notes}")
        else:
            print(f"{path}: NOT verified: {certificate.difference}")
    if failures:
        print(f"twinplay: {failures} of {len(options.sessions)} sessions could not be verified", file=sys.stderr)
    return 1 if failures else 0


def study(options: Namespace) -> int:
    """See the command's help."""
    from player.figures import draw
    from trainer.studies import STUDIES
    from trainer.study import run_study

    chosen = STUDIES[options.name]
    if options.episodes:
        chosen = replace(chosen, episodes=options.episodes)
    overrides = {"max_batches": options.max_batches} if options.max_batches else {}
    table: Path | None = None
    with _Meter(f"study {chosen.name}") as meter:
        for step in run_study(chosen, options.out, jobs=options.jobs, only=options.only, overrides=overrides):
            table = step.table
            if step.message:
                meter.say(step.message)
            meter.show(step.done / step.total, f"{step.done} of {step.total} cells")
    assert table is not None
    print(table.read_text(encoding="utf-8"), end="")
    for figure in draw(chosen, table.parent):
        print(figure)
    return 0


def evaluate(options: Namespace) -> int:
    """See the command's help."""
    report: Any = None
    with _Meter("evaluating", options.json) as meter:
        for step in evaluation(options.policy, options.episodes, options.seed, options.sticky):
            report = step.report
            meter.show(step.done / step.total, f"{step.done} of {step.total} games")
    if options.json:
        print(json.dumps(report.to_json()))
        return 0
    for row in report.rows:
        print(
            f"{row.label:<40} mean {row.mean:9,.1f}   95 % interval {row.low:9,.1f} to {row.high:9,.1f}   "
            f"{len(row.returns)} games, {row.distinct} distinct"
        )
    if report.ratio is not None:
        print(f"clone / demonstrator {report.ratio:.2f}")
    return 0


def evaluation(policy: Path, episodes: int, seed: int, sticky: float = 0.0) -> Iterator[Any]:
    """`trainer.evaluate`."""
    from trainer.evaluation import evaluate as run

    return run(policy, episodes=episodes, seed=seed, sticky=sticky)


def drives(options: Namespace) -> int:
    """See the command's help."""
    import numpy as np

    from recorder.experts.hopper import OBSERVATIONS
    from trainer.policy import Policy

    policy = Policy.load(options.policy)
    session = Session.open(session_path(options.session, options.library))
    if session.spec.name != policy.spec.name:
        raise PolicyError(
            f"{options.policy} plays {policy.spec.title}, but {session.path} is a session of {session.spec.title}; "
            "choose two of the same environment"
        )
    first = session.episodes[0]
    gradients = []
    for observation in session.observations[first.start : first.stop]:
        gradients.append(policy.drives(observation))
        policy.act(observation)
    mean, size = np.mean(gradients, axis=0), np.abs(gradients).mean(axis=0)
    torques = policy.spec.action_names
    if options.json:
        print(
            json.dumps({"observations": OBSERVATIONS, "torques": torques, "mean": mean.tolist(), "size": size.tolist()})
        )
        return 0
    table = Table("observation", *torques, box=None, pad_edge=False)
    for index, name in enumerate(OBSERVATIONS):
        table.add_row(name, *(f"{mean[k, index]:+.2f} (|{size[k, index]:.2f}|)" for k in range(len(torques))))
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    print(
        f"Mean gradient, and mean of its size, over {len(gradients):,} ticks of {session.name}: "
        "by how much a torque changes with one standard deviation of an entry."
    )
    return 0


def agreement(options: Namespace) -> int:
    """See the command's help."""
    from player.scene import KIND_TITLES, duration_text
    from trainer.agreement import comparing

    session = Session.open(session_path(options.session, options.library))
    found: Any = None
    with _Meter("comparing", options.json) as meter:
        for step in comparing(session, options.policy, episode=options.episode):
            found = step.agreement
            meter.show(step.done / max(1, step.total), f"{step.done:,} of {step.total:,} ticks")
    if options.json:
        print(json.dumps({"session": str(session.path), "policy": str(options.policy), **found.to_json()}))
        return 0
    kind = str(session.player.get("kind", ""))
    who = KIND_TITLES.get(kind, kind).lower()
    print(f"The clone does what the {who} did in {100 * found.share:.1f} % of {len(found):,} ticks.")
    if found.mean_difference:
        apart = ", ".join(f"{n} {d:.3f}" for n, d in zip(found.names, found.mean_difference, strict=True))
        print(f"Mean absolute difference of each torque: {apart}.")
    for each in found.clearest[: options.most]:
        time_text = duration_text(each.tick / found.rate_hz)
        print(f"{time_text:>6}  {who} {each.recorded}, clone {each.clone}  {100 * each.sure:.0f} %")
    return 0


def watch(options: Namespace) -> int:
    """See the command's help."""
    session, policy = _session_and_policy(options.files, options.library)
    against: Path | None = options.against
    if against is not None and session is not None:
        raise UsageError(f"--against {against} takes the place of {session}; leave one of them out")
    if against is not None and policy is None:
        raise UsageError("--against names a second policy; name the first one too")
    if options.video is not None:
        check_output(options.video, ".mp4", ".gif")
        start = options.start or 0.0
        if options.to is not None and options.to <= start:
            raise UsageError(f"--to {options.to:g} must come after --from {start:g}")
        seconds = options.seconds if options.to is None else options.to - start
        choice: dict[str, Any] = {"against": against, "episode": options.episode, "seed": options.seed}
        print(make_film(session, policy, options.video, start=start, seconds=seconds, **choice))
        return 0
    if session is not None:
        Session.open(session)
    from trainer.header import read_header

    for each in (policy, against):
        if each is not None:
            read_header(each)
    from player.app import open_app

    arguments = ["--library", str(options.library)] if options.library else []
    for name, path in (("--session", session), ("--policy", policy), ("--against", against)):
        arguments += [name, str(path)] if path else []
    return open_app([*arguments, "--page", "watch"])


def make_film(
    session: Path | None,
    policy: Path | None,
    video: Path,
    *,
    against: Path | None = None,
    episode: int | None = None,
    start: float = 0.0,
    seconds: float | None = None,
    seed: int = 0,
) -> str:
    """Write the side-by-side film; returns a line that says what was written."""
    from player.film import filming

    names = [None if path is None else str(path) for path in (session, policy, against)]
    with (
        _Meter("filming") as meter,
        contextlib.closing(
            filming(
                str(video),
                *names[:2],
                against=names[2],
                episode=episode,
                seed=seed,
                start=start,
                seconds=seconds,
            )
        ) as steps,
    ):
        for step in steps:
            meter.show(step.fraction, f"{step.pictures:,} pictures")
    return f"{video}: {step.pictures:,} pictures. {step.verdict}".strip()


def _session_and_policy(files: list[str], library: Path | None) -> tuple[Path | None, Path | None]:
    found: dict[str, Path] = {}
    for given in files:
        kind = "policy" if given.endswith(".safetensors") or Path(given).is_file() else "session"
        if kind in found:
            raise UsageError(
                f"two {kind}s are given, {found[kind]} and {given}; give one session, one policy, or both "
                "(a second policy with --against)"
            )
        found[kind] = Path(given) if kind == "policy" else session_path(given, library)
    return found.get("session"), found.get("policy")


def sample(options: Namespace) -> int:
    """See the command's help."""
    from player.sample import SAMPLE

    pair = SAMPLE.add(Library(options.library).path)
    if options.json:
        print(json.dumps({"session": str(pair.session), "policy": str(pair.policy), "about": SAMPLE.about}))
    else:
        print(f"{SAMPLE.sentence()}\n{pair.session}\n{pair.policy}")
    return 0


def diagnostics(options: Namespace) -> int:
    """See the command's help."""
    from player.diagnostics import diagnostics as text

    print(text(Library(options.library).path), end="")
    return 0


def demo(options: Namespace) -> int:
    """See the command's help."""
    from player.demo import run

    if options.out.exists() and not options.out.is_dir():
        raise UsageError(f"{options.out} is a file; name a folder for the demo's results")
    ensure_writable(options.out)
    for line in run(options.out, quick=options.quick):
        print(line.text, flush=True)
        if line.failed:
            raise TwinplayError(line.failed)
    return 0
