"""The options of the commands about trainings and clones, for argparse."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from player.cli.argument_types import delays, games, index, minutes, moment, positive, probability, seconds, seed
from player.cli.shared_options import A_SESSION, AddCommand, as_json, library, places

PRESET_NAMES = ("quick", "standard", "best")
SUBSET_NAMES = ("all", "good", "best-half")
STUDY_NAMES = ("breakout", "reaction", "ablation", "article", "hopper", "expert", "games")
ALIKE = "play like the demonstrator instead of for the best score"


def add_training(add: AddCommand) -> None:
    """train: train a clone."""
    train = add(
        "train",
        "Train a clone on recorded sessions. Ctrl-C pauses and keeps the best policy so far.",
        "twinplay train recordings/*-breakout.zarr --out clone.safetensors",
    )
    train.add_argument("sessions", nargs="*", metavar="SESSION", help=A_SESSION)
    train.add_argument(
        "--out",
        type=Path,
        metavar="POLICY",
        help="policy file to create or replace (default: a new one in the library)",
    )
    train.add_argument(
        "--from",
        dest="parent",
        type=Path,
        metavar="POLICY",
        help="go on from this policy instead of beginning anew: a quarter as long, half of it on corrections if any",
    )
    train.add_argument("--preset", choices=PRESET_NAMES, default="standard", help="how much to train")
    train.add_argument("--network", help="keypoints, nature or article64 for screens, mlp or lstm for vectors")
    train.add_argument("--max-batches", type=positive, metavar="N", help="budget in batches, instead of the preset's")
    train.add_argument("--max-seconds", type=seconds, metavar="S", help="budget in seconds, instead of the preset's")
    train.add_argument(
        "--label-shifts",
        type=delays,
        metavar="TICKS",
        help="reaction time in ticks to remove from the labels; of several (0,6,12), test games choose the best",
    )
    train.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any other setting, such as learning_rate=5e-4"
    )
    train.add_argument(
        "--list-settings",
        action="store_true",
        help="print every setting, its default, limits and meaning, and leave; with SESSION: those that matter there",
    )
    train.add_argument(
        "--games",
        action="append",
        type=games,
        default=[],
        metavar="SESSION=1,3",
        help="learn from these games of a session alone",
    )
    train.add_argument(
        "--only",
        choices=SUBSET_NAMES,
        default="all",
        help="of the games of all these sessions: good (marked so), or best-half (by score)",
    )
    train.add_argument(
        "--tag", action="append", metavar="WORD", help="also the library's sessions with this tag; several: with each"
    )
    train.add_argument("--seed", type=seed, default=0, help="seed of the weights and batches")
    _add_run(train)
    places(train)
    as_json(train, "each progress record, one per line,")


def _add_run(train: ArgumentParser) -> None:
    """The options of `train` about its run."""
    train.add_argument(
        "--resume", metavar="RUN", help="resume a run that was paused, interrupted or failed (see: twinplay runs)"
    )
    train.add_argument(
        "--sessions",
        dest="moved_to",
        metavar="DIR",
        help="with --resume: the library where the run's sessions are now, if they were moved",
    )
    train.add_argument(
        "--no-run", action="store_true", help="do not store a run; the training cannot be resumed or compared"
    )


def add_trainings(add: AddCommand) -> None:
    """runs, policies, study: list trainings and policies, and run studies of many trainings."""
    runs = add(
        "runs",
        "List the trainings of a library, or show, pause, stop or delete one.",
        "twinplay runs --library recordings",
    )
    runs.add_argument("run", nargs="?", metavar="RUN", help="show the settings and the log of this one")
    action = runs.add_mutually_exclusive_group()
    action.add_argument("--pause", action="store_true", help="ask it to pause; twinplay train --resume RUN resumes it")
    action.add_argument("--stop", action="store_true", help="ask it to stop and keep the best policy so far")
    action.add_argument("--delete", action="store_true", help="move it to the trash of runs; its policy is kept")
    library(runs)
    as_json(runs, "the list or the run")

    policies = add(
        "policies",
        "List the policies of a library; rename, delete, restore or import one.",
        "twinplay policies --library recordings",
    )
    change = policies.add_mutually_exclusive_group()
    change.add_argument("--rename", nargs=2, metavar=("NAME", "NEW"), help="rename a policy")
    change.add_argument("--delete", metavar="NAME", help="move a policy to the trash")
    change.add_argument("--restore", metavar="NAME", help="restore a policy from the trash")
    change.add_argument(
        "--import", dest="take_over", type=Path, metavar="FILE", help="check a policy file and copy it into the library"
    )
    library(policies)
    as_json(policies, "the list")

    study = add(
        "study",
        "Train and score many clones to answer one question. Finished parts are not run again.",
        "twinplay study breakout --out studies --only prompt",
    )
    study.add_argument("name", choices=STUDY_NAMES, metavar="NAME", help=f"one of: {', '.join(STUDY_NAMES)}")
    study.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for sessions, clones and results")
    study.add_argument(
        "--only",
        default="",
        metavar="TEXT",
        help="only the rows whose names contain this text (several: separate with commas)",
    )
    study.add_argument(
        "--jobs", type=positive, default=1, metavar="N", help="trainings at the same time, sharing the cores"
    )
    study.add_argument("--max-batches", type=positive, metavar="N", help="budget of every training, for a quick trial")
    study.add_argument("--episodes", type=positive, metavar="N", help="games of each player (default: the study's)")


def add_judging(add: AddCommand) -> None:
    """evaluate, failures, drives, agreement: measure what a clone does."""
    evaluate = add(
        "evaluate",
        "Score a clone in games from unseen starts, beside its demonstrator and a random player.",
        "twinplay evaluate clone.safetensors --episodes 30",
    )
    evaluate.add_argument("policy", type=Path, metavar="POLICY", help="a policy file")
    evaluate.add_argument("--episodes", type=positive, default=30, metavar="N", help="games of each player")
    evaluate.add_argument("--seed", type=seed, default=0, help="seed of the games' starts")
    evaluate.add_argument("--sticky", type=probability, default=0.0, metavar="P", help="probability of a sticky action")
    evaluate.add_argument("--alike", action="store_true", help=ALIKE)
    evaluate.add_argument(
        "--session",
        metavar="SESSION",
        help="session whose player to compare with (default: the players it learned from)",
    )
    places(evaluate)
    as_json(evaluate, "the report")

    _add_failures(add)

    drives = add(
        "drives",
        "What drives a clone that sees vectors: how strongly each action depends on each observed value.",
        "twinplay drives clone.safetensors recordings/2026-11-21T10-14-03-hopper.zarr",
    )
    drives.add_argument("policy", type=Path, metavar="POLICY", help="a policy file")
    drives.add_argument("session", metavar="SESSION", help="a session; the observations of its first game are used")
    places(drives)
    as_json(drives, "the table")

    agreement = add(
        "agreement",
        "How often a clone would have acted as recorded, and where it differs most clearly.",
        "twinplay agreement recordings/2026-11-21T10-14-03-breakout.zarr clone.safetensors",
    )
    agreement.add_argument("session", metavar="SESSION", help=A_SESSION)
    agreement.add_argument("policy", type=Path, metavar="POLICY", help="a policy file")
    agreement.add_argument("--game", type=index, metavar="K", help="which game of the session (default: the best)")
    agreement.add_argument("--most", type=positive, default=10, metavar="N", help="disagreements to print")
    places(agreement)
    as_json(agreement, "the full comparison")


def _add_failures(add: AddCommand) -> None:
    failures = add(
        "failures",
        "Let a clone play, and group the last two seconds before each lost life by likeness.",
        "twinplay failures clone.safetensors --episodes 10 --out where-it-fails",
    )
    failures.add_argument("policy", type=Path, metavar="POLICY", help="a policy file")
    failures.add_argument("--episodes", type=positive, default=10, metavar="N", help="games to play")
    failures.add_argument("--seed", type=seed, default=0, help="seed of the games' starts, as of `evaluate`")
    failures.add_argument("--alike", action="store_true", help=ALIKE)
    failures.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for a contact sheet and a GIF of each group, and a list in JSON"
    )
    as_json(failures, "the groups")


def add_watching(add: AddCommand) -> None:
    """watch: watch a clone play."""
    watch = add(
        "watch",
        "Show a recording and a clone, or two clones, side by side, or export a video of them.",
        "twinplay watch recordings/2026-11-21T10-14-03-breakout.zarr clone.safetensors --video out.mp4",
    )
    watch.add_argument("files", nargs="+", metavar="SESSION POLICY", help="a session, a policy, or one of each")
    watch.add_argument(
        "--against", type=Path, metavar="POLICY", help="a second policy, on the left, in place of a session"
    )
    watch.add_argument(
        "--video", type=Path, metavar="OUT", help="export a video, OUT.mp4 or OUT.gif, instead of opening the window"
    )
    watch.add_argument("--yes", action="store_true", help="with --video: replace the file without asking")
    watch.add_argument("--game", type=index, metavar="K", help="which game of the session (default: the best)")
    watch.add_argument("--from", dest="start", type=moment, metavar="S", help="second at which the film begins")
    end = watch.add_mutually_exclusive_group()
    end.add_argument(
        "--to", type=seconds, metavar="S", help="second at which the video ends (default: at the end of the games)"
    )
    end.add_argument("--seconds", type=seconds, metavar="S", help="length of the video in seconds, instead of its end")
    watch.add_argument("--alike", action="store_true", help=ALIKE)
    watch.add_argument("--seed", type=seed, default=0, help="seed of the clone, and of a game without a session")
    places(watch)


def add_coaching(add: AddCommand) -> None:
    """coach: correct a clone, round by round."""
    coach = add(
        "coach",
        "Let a scripted supervisor correct a clone, train it further, and score each round beside plain play.",
        "twinplay coach clone.safetensors --supervisor scripted --rounds 3 --minutes 5 --out coached",
    )
    coach.add_argument("policy", type=Path, metavar="POLICY", help="the policy to begin with")
    coach.add_argument(
        "--supervisor",
        choices=("scripted",),
        default="scripted",
        help="who takes over; a person does it in the window",
    )
    coach.add_argument("--rounds", type=positive, default=3, metavar="N", help="rounds of play and training")
    coach.add_argument("--minutes", type=minutes, default=5.0, metavar="M", help="minutes of play in each round")
    coach.add_argument("--episodes", type=positive, default=30, metavar="N", help="games that score each policy")
    coach.add_argument("--seed", type=seed, default=0, help="seed of the play and of the games' starts")
    coach.add_argument(
        "--no-plain", action="store_true", help="do not compare with as much plain play by the demonstrator"
    )
    coach.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for sessions, policies and results"
    )
    library(coach)
    as_json(coach, "the table")
