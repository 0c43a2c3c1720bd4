"""The commands that look at a clone: watch, agreement, drives; `options` are the parsed arguments of `build_parser`."""

from __future__ import annotations

import contextlib
import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from rich.table import Table

from player.cli.commands import check_output, may_write
from player.cli.progress_bar import Meter
from player.cli.tables import print_table
from recorder.envs.registry import simulator_notes
from recorder.errors import UsageError
from recorder.library.library import session_place
from recorder.store.places import Place, on_this_computer
from recorder.store.session import Session
from trainer.errors import PolicyError
from trainer.runs.policy_library import summarize


def drives(options: Namespace) -> int:
    """See the command's help."""
    import numpy as np

    from trainer.policy.policy import Policy

    policy = Policy.load(options.policy)
    session = Session.open(session_place(options.session, options.library))
    if session.spec.name != policy.spec.name:
        raise PolicyError(
            f"{options.policy} plays {policy.spec.title}, but {session.place} is a session of {session.spec.title}; "
            "choose two of the same environment"
        )
    first = session.episodes[0]
    gradients = []
    for observation in session.observations[first.start : first.stop]:
        gradients.append(policy.drives(observation))
        policy.act(observation)
    mean, size = np.mean(gradients, axis=0), np.abs(gradients).mean(axis=0)
    names, observed = policy.spec.action_names, policy.spec.observation_names
    if options.json:
        print(json.dumps({"observations": observed, "torques": names, "mean": mean.tolist(), "size": size.tolist()}))
        return 0
    table = Table("observation", *names, box=None, pad_edge=False)
    for index, name in enumerate(observed):
        table.add_row(name, *(f"{mean[k, index]:+.2f} (|{size[k, index]:.2f}|)" for k in range(len(names))))
    print_table(table)
    print(
        f"Mean gradient and (mean absolute gradient) over {len(gradients):,} ticks of {session.name}: "
        "how much an action changes per standard deviation of an observed value."
    )
    return 0


def agreement(options: Namespace) -> int:
    """See the command's help."""
    from recorder.library.players import kind_texts
    from recorder.system.texts import duration_text
    from trainer.evaluation.agreement import comparing

    session = Session.open(session_place(options.session, options.library))
    found: Any = None
    with Meter("comparing", options.json) as meter:
        for step in comparing(session, options.policy, game=options.game):
            found = step.agreement
            meter.show(step.done / max(1, step.total), f"{step.done:,} of {step.total:,} ticks")
    if options.json:
        print(json.dumps({"session": str(session.place), "policy": str(options.policy), **found.to_json()}))
        return 0
    kind = str(session.player.get("kind", ""))
    who = "policy" if kind == "policy" else kind_texts(kind).title.lower()
    print(f"The clone acts like the {who} in {100 * found.share:.1f} % of {len(found):,} ticks.")
    if found.mean_difference:
        apart = ", ".join(f"{n} {d:.3f}" for n, d in zip(found.names, found.mean_difference, strict=True))
        print(f"Mean absolute difference of each action: {apart}.")
    for each in found.clearest[: options.most]:
        time_text = duration_text(each.tick / found.rate_hz)
        print(f"{time_text:>6}  {who} {each.recorded}, clone {each.clone}  {100 * each.sure:.0f} %")
    return 0


def watch(options: Namespace) -> int:
    """See the command's help."""
    session, policy = _session_and_policy(options.files, options.library)
    against: Path | None = options.against
    if against is not None and session is not None:
        raise UsageError(f"--against {against} takes the place of {session}; omit one of them")
    if against is not None and policy is None:
        raise UsageError("--against gives a second policy; give the first one too")
    if options.video is not None:
        check_output(options.video, ".mp4", ".gif")
        start = options.start or 0.0
        if options.to is not None and options.to <= start:
            raise UsageError(f"--to {options.to:g} must come after --from {start:g}")
        seconds = options.seconds if options.to is None else options.to - start
        if not may_write(options.video, options.yes):
            return 0
        _tell_of_simulators(session, policy, against)
        choice: dict[str, Any] = {"against": against, "game": options.game, "seed": options.seed}
        choice["alike"] = options.alike
        print(make_film(session, policy, options.video, start=start, seconds=seconds, **choice))
        return 0
    if session is not None:
        Session.open(on_this_computer(session, "copy it with `twinplay pull` first, or export a video with --video"))
    from trainer.policy.header import check_alike, read_header

    if options.alike and policy is not None:
        check_alike(policy, read_header(policy))
    for each in (policy, against):
        if each is not None:
            read_header(each)
    _tell_of_simulators(session, policy, against)
    from player.app import open_app

    arguments = ["--library", str(options.library)] if options.library else []
    for name, path in (("--session", session), ("--policy", policy), ("--against", against)):
        arguments += [name, str(path)] if path else []
    arguments += ["--alike"] if options.alike else []
    return open_app([*arguments, "--page", "watch"])


def _tell_of_simulators(session: Place | None, *policies: Path | None) -> None:
    """Print a note for files of another simulator version: they may play differently here."""
    opened = None if session is None else Session.open(session)
    notes = () if opened is None else simulator_notes({opened.name: opened.spec})
    for note in (*notes, *(summarize(path).note for path in policies if path is not None)):
        if note:
            print(f"twinplay: note: {note}", file=sys.stderr)


def make_film(
    session: Place | None,
    policy: Path | None,
    video: Path,
    *,
    against: Path | None = None,
    game: int | None = None,
    start: float = 0.0,
    seconds: float | None = None,
    seed: int = 0,
    alike: bool = False,
) -> str:
    """Export the side-by-side video; returns a line that says what was written."""
    from player.film.film import filming

    left, right, other = (None if path is None else str(path) for path in (session, policy, against))
    steps = filming(
        str(video), left, right, against=other, game=game, seed=seed, alike=alike, start=start, seconds=seconds
    )
    with Meter("exporting") as meter, contextlib.closing(steps):
        for step in steps:
            meter.show(step.fraction, f"{step.pictures:,} frames")
    return f"{video}: {step.pictures:,} frames. {step.verdict}".strip()


def _session_and_policy(files: list[str], library: str | None) -> tuple[Place | None, Path | None]:
    session: Place | None = None
    policy: Path | None = None
    for given in files:
        kind = "policy" if given.endswith(".safetensors") or Path(given).is_file() else "session"
        if (first := policy if kind == "policy" else session) is not None:
            raise UsageError(
                f"two {kind}s are given, {first} and {given}; give one session, one policy, or both "
                "(a second policy with --against)"
            )
        if kind == "policy":
            policy = Path(given)
        else:
            session = session_place(given, library)
    return session, policy
