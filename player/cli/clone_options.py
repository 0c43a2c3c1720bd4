"""The commands on trainings and clones and their options, for argparse."""

from __future__ import annotations

from pathlib import Path

from player.cli.argument_types import delays, episodes, moment, positive, probability, seconds, seed
from player.cli.shared_options import A_SESSION, AddCommand, as_json, library, places

PRESET_NAMES = ("quick", "standard", "best")
STUDY_NAMES = ("breakout", "reaction", "ablation", "article", "hopper", "expert")
ALIKE = "let the clone play like its demonstrator, not its best"


def add_training(add: AddCommand) -> None:
    """train: make a clone."""
    train = add(
        "train",
        "Clone the player of some sessions. Ctrl-C pauses and keeps the best so far.",
        "twinplay train recordings/*-breakout.zarr --out clone.safetensors",
    )
    train.add_argument("sessions", nargs="*", metavar="SESSION", help=A_SESSION)
    train.add_argument(
        "--out", type=Path, metavar="POLICY", help="policy file to write or replace (default: a new one in the library)"
    )
    train.add_argument("--preset", choices=PRESET_NAMES, default="standard", help="how much to train")
    train.add_argument("--network", help="keypoints, nature or article64 for screens, mlp or lstm for vectors")
    train.add_argument("--max-batches", type=positive, metavar="N", help="budget in batches, instead of the preset's")
    train.add_argument("--max-seconds", type=seconds, metavar="S", help="budget in seconds, instead of the preset's")
    train.add_argument(
        "--label-shifts",
        type=delays,
        metavar="TICKS",
        help="play without a reaction time of that many ticks; of several (0,6,12) play chooses one",
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
        "--episodes",
        action="append",
        type=episodes,
        default=[],
        metavar="SESSION=0,2",
        help="learn from these episodes of a session alone",
    )
    train.add_argument("--seed", type=seed, default=0, help="seed of weights and batches")
    train.add_argument(
        "--resume", metavar="RUN", help="go on with a run that was paused, interrupted or failed (see: twinplay runs)"
    )
    train.add_argument(
        "--sessions",
        dest="moved_to",
        metavar="DIR",
        help="with --resume: the library that the run's sessions have moved to, where that is not the run's own",
    )
    train.add_argument("--no-run", action="store_true", help="leave no run behind: it cannot be resumed or compared")
    places(train)
    as_json(train, "each progress record on a line of its own")


def add_trainings(add: AddCommand) -> None:
    """runs, policies, study: what was trained, and studies of many trainings."""
    runs = add(
        "runs",
        "List the trainings of a library, or show, pause, stop or delete one.",
        "twinplay runs --library recordings",
    )
    runs.add_argument("run", nargs="?", metavar="RUN", help="show the settings and the log of this one")
    action = runs.add_mutually_exclusive_group()
    action.add_argument("--pause", action="store_true", help="ask it to pause; twinplay train --resume RUN goes on")
    action.add_argument("--stop", action="store_true", help="ask it to end, keeping the best so far")
    action.add_argument("--delete", action="store_true", help="move it to the trash of runs; its policy stays")
    library(runs)
    as_json(runs, "the list, or the run")

    policies = add(
        "policies",
        "List the clones of a library; rename, delete, bring back or import one.",
        "twinplay policies --library recordings",
    )
    change = policies.add_mutually_exclusive_group()
    change.add_argument("--rename", nargs=2, metavar=("NAME", "NEW"), help="give one another name")
    change.add_argument("--delete", metavar="NAME", help="move one to the trash of policies")
    change.add_argument("--restore", metavar="NAME", help="bring one back from the trash")
    change.add_argument("--import", dest="take_over", type=Path, metavar="FILE", help="copy a policy file in, checked")
    library(policies)
    as_json(policies, "the list")

    study = add(
        "study",
        "Train and score many clones to answer one question. Finished cells are not run again.",
        "twinplay study breakout --out studies --only prompt",
    )
    study.add_argument("name", choices=STUDY_NAMES, metavar="NAME", help=f"one of: {', '.join(STUDY_NAMES)}")
    study.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for sessions, clones and results")
    study.add_argument(
        "--only", default="", metavar="TEXT", help="only the rows with this in their name (of several, with commas)"
    )
    study.add_argument("--jobs", type=positive, default=1, metavar="N", help="cells at a time, sharing the cores")
    study.add_argument("--max-batches", type=positive, metavar="N", help="budget of every training, for a quick look")
    study.add_argument("--episodes", type=positive, metavar="N", help="games of each player (default: the study's)")


def add_judging(add: AddCommand) -> None:
    """evaluate, drives, agreement: tell what a clone does, in numbers."""
    evaluate = add(
        "evaluate",
        "Score a clone over unseen starts, beside its demonstrator and a random player.",
        "twinplay evaluate clone.safetensors --episodes 30",
    )
    evaluate.add_argument("policy", type=Path, metavar="POLICY", help="a policy file")
    evaluate.add_argument("--episodes", type=positive, default=30, metavar="N", help="games of each player")
    evaluate.add_argument("--seed", type=seed, default=0, help="seed of the starts")
    evaluate.add_argument("--sticky", type=probability, default=0.0, metavar="P", help="probability of a sticky action")
    evaluate.add_argument("--alike", action="store_true", help=ALIKE)
    evaluate.add_argument(
        "--session", metavar="SESSION", help="whose player to compare with (default: those whom it learned from)"
    )
    places(evaluate)
    as_json(evaluate, "the report")

    drives = add(
        "drives",
        "What drives a clone that sees vectors: how much each torque answers to each entry of the observation.",
        "twinplay drives clone.safetensors recordings/2026-11-21T10-14-03-hopper.zarr",
    )
    drives.add_argument("policy", type=Path, metavar="POLICY", help="a policy file")
    drives.add_argument("session", metavar="SESSION", help="a session whose first game's observations are asked about")
    places(drives)
    as_json(drives, "the table")

    agreement = add(
        "agreement",
        "How often a clone would have done what was recorded, and where it differs most clearly.",
        "twinplay agreement recordings/2026-11-21T10-14-03-breakout.zarr clone.safetensors",
    )
    agreement.add_argument("session", metavar="SESSION", help=A_SESSION)
    agreement.add_argument("policy", type=Path, metavar="POLICY", help="a policy file")
    agreement.add_argument("--episode", type=int, metavar="K", help="which game of the session (default: the best)")
    agreement.add_argument("--most", type=positive, default=10, metavar="N", help="disagreements to print")
    places(agreement)
    as_json(agreement, "all of it")


def add_watching(add: AddCommand) -> None:
    """watch: see a clone play."""
    watch = add(
        "watch",
        "Show, or film, a recording and a clone, or two clones, side by side.",
        "twinplay watch recordings/2026-11-21T10-14-03-breakout.zarr clone.safetensors --video out.mp4",
    )
    watch.add_argument("files", nargs="+", metavar="SESSION POLICY", help="a session, a policy, or one of each")
    watch.add_argument("--against", type=Path, metavar="POLICY", help="a second policy, on the left, without a session")
    watch.add_argument(
        "--video", type=Path, metavar="OUT", help="write a film, OUT.mp4 or OUT.gif, instead of opening the window"
    )
    watch.add_argument("--episode", type=int, metavar="K", help="which game of the session (default: the best)")
    watch.add_argument("--from", dest="start", type=moment, metavar="S", help="second at which the film begins")
    end = watch.add_mutually_exclusive_group()
    end.add_argument("--to", type=seconds, metavar="S", help="second at which it ends (default: with the games)")
    end.add_argument("--seconds", type=seconds, metavar="S", help="its length, instead of its end")
    watch.add_argument("--alike", action="store_true", help=ALIKE)
    watch.add_argument("--seed", type=seed, default=0, help="seed of the clone, and of a game without a session")
    places(watch)
