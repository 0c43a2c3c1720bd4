"""Defines studies, and those that ship with Twinplay, by name; `trainer.studies.runner` runs them.

breakout   how close a clone comes to its demonstrator: several demonstrators, amounts of play, training seeds
reaction   whether a clone can do without its demonstrator's reaction time
ablation   the recipe for the end-to-end network, with each part removed in turn
article    the first article's experiment: one grey screen, its network, 100,000 of 500,000 ticks or all of them
hopper     the second article's experiment: seven networks that clone the Hopper expert, from 80 games and from fewer
expert     how many games of the Hopper expert the default clone needs
games      what the defaults make of 15 minutes of ten Atari games' scripted players
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recorder.system.texts import count


@dataclass(frozen=True)
class Row:
    """A row of a study's table: the demonstrator, the amount of play, and what differs from the default training.

    `ways` and `first_ways` are the evaluations: "chosen" (as test games chose; with the demonstrator), "sampled" and
    "greedy" (only the clone, at temperature 1 and 0), "unshifted" (only the clone, without a label shift) and "sticky"
    (as chosen, all players with sticky actions 0.25). If given, `games` is the amount of play instead of `minutes`;
    `published` is a score to print beside ours. With `random`, a random player plays the same games, too.
    """

    name: str
    env: str = "breakout"
    style: str | None = None
    minutes: float = 30.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    ways: tuple[str, ...] = ("chosen",)  # for every seed
    first_ways: tuple[str, ...] = ()  # for the first seed only
    games: int | None = None
    published: float | None = None
    random: bool = False


@dataclass(frozen=True)
class Finding:
    """A claim about pairs of rows, named without their amount of play: the first one scores more."""

    claim: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Study:
    """A question and its rows; each cell is evaluated on `episodes` games of each player.

    `findings` are tested on the results. `errors` names the rows whose training errors are plotted together; with
    `held_out`, the errors on held-out ticks are plotted, too.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    episodes: int = 30
    findings: tuple[Finding, ...] = ()
    errors: tuple[str, ...] = ()
    held_out: bool = False
    note: str = ""

    def rows_with(self, text: str) -> list[Row]:
        """The rows whose names contain the text, or else one of several texts that are separated by commas."""
        whole = [row for row in self.rows if text in row.name]
        return whole or [row for row in self.rows if any(part.strip() in row.name for part in text.split(","))]


_NATURE: dict[str, Any] = {"network": "nature", "max_batches": 12_000}
_SHORT = {**_NATURE, "max_batches": 6_000, "checks": 0}
# The first article's experiment: one grey screen, its network, 25 epochs of 100,000 ticks, and as many batches of more
# data.
_ARTICLE: dict[str, Any] = {
    "network": "article64",
    "history": (0,),
    "hidden_share": 0.0,
    "whiten": False,
    "mirror": 0.0,
    "shift": 0,
    "rare_action_share": 0.0,
    "ema": 0.0,
    "checks": 0,
    "validations": 25,
    "patience": 1_000,
    "max_batches": 25 * 90_000 // 128,  # a tenth of the ticks is held out
}

_SGD = {"optimizer": "sgd", "learning_rate": 1e-2}
_ADAM = {"optimizer": "adam", "learning_rate": 1e-3}
_HOPPER = {"network": "mlp", "max_batches": 6_000, "checks": 0, "weight_decay": 0.0, "play_games": 6}
# The second article's variants and its average rewards.
_VARIANTS: tuple[tuple[str, dict[str, Any], float], ...] = (
    ("tanh, SGD", {"activation": "tanh", **_SGD}, 213.0),
    ("tanh, Adam", {"activation": "tanh", **_ADAM}, 771.34),
    ("ReLU, SGD", {"activation": "relu", **_SGD}, 532.0),
    ("ReLU, Adam", {"activation": "relu", **_ADAM}, 913.65),
    ("ReLU, Adam, L2", {"activation": "relu", **_ADAM, "weight_decay": 1.0}, 1169.94),
    ("tanh, Adam, L2", {"activation": "tanh", **_ADAM, "weight_decay": 1.0}, 1127.3),
    ("ReLU, Adam, LSTM output", {"activation": "relu", **_ADAM, "network": "lstm", "batch_size": 32}, 991.2),
)
# By the titles of their rows.
_GAMES = {
    "Pong": "pong",
    "Space Invaders": "space_invaders",
    "Freeway": "freeway",
    "Seaquest": "seaquest",
    "Q*bert": "qbert",
    "Ms. Pac-Man": "ms_pacman",
    "Enduro": "enduro",
    "Boxing": "boxing",
    "Skiing": "skiing",
    "Breakout": "breakout",
}


def _hopper(games: int) -> tuple[Row, ...]:
    return tuple(
        Row(
            f"{name}; {count(games, 'game')}",
            env="hopper",
            games=games,
            settings={**_HOPPER, **settings},
            seeds=(0, 1, 2),
            published=published if games == 80 else None,
        )
        for name, settings, published in _VARIANTS
    )


STUDIES = {
    study.name: study
    for study in (
        Study(
            "breakout",
            "Clones of scripted Breakout players",
            (
                Row("prompt, 30 minutes", style="prompt", seeds=(0, 1, 2), first_ways=("sampled", "greedy", "sticky")),
                *(
                    Row(f"{style}, 30 minutes", style=style, seeds=(0, 1, 2), first_ways=("sticky",))
                    for style in ("person", "beginner", "slow", "late", "sloppy", "left-handed")
                ),
                *(
                    Row(f"person, {minutes} minutes", style="person", minutes=minutes, first_ways=("sticky",))
                    for minutes in (2, 5, 15, 60)
                ),
                *(Row(f"{style}, 5 minutes", style=style, minutes=5) for style in ("prompt", "slow")),
                Row("person, screens alone", style="person", settings=_NATURE),
                Row(
                    "prompt, 30 minutes, the article's network",
                    style="prompt",
                    settings={"network": "article64"},  # the same time, not the same number of batches: it is slow
                ),
            ),
        ),
        Study(
            "reaction",
            "Demonstrators with and without a reaction time, and clones trained with label shifts of 0, 3 or 6 ticks",
            tuple(
                Row(
                    f"{style}, label shifts 0, 3, 6",
                    style=style,
                    settings={"label_shifts": (0, 3, 6)},
                    ways=("chosen", "unshifted"),
                )
                for style in ("late", "prompt")
            ),
        ),
        Study(
            "ablation",
            "The recipe for a network that learns from screens alone, with each part removed in turn",
            tuple(
                Row(name, style="slow", settings={**_SHORT, **change}, seeds=(0, 1))
                for name, change in (
                    ("the whole recipe", {}),
                    ("its own past always shown", {"hidden_share": 0.0}),
                    ("its own past always hidden", {"hidden_share": 1.0}),
                    ("pixels not weighed by their deviation", {"whiten": False}),
                    ("no mirror", {"mirror": 0.0}),
                    ("no shift", {"shift": 0}),
                    ("no averaging of weights", {"ema": 0.0}),
                    ("one screen", {"history": (0,)}),
                    ("serves not drawn more often", {"rare_action_share": 0.0}),
                    ("every 4th tick only", {"every": 4}),
                )
            ),
        ),
        Study(
            "article",
            "The first article's experiment: is 100,000 ticks too little, or too dense?",
            tuple(
                Row(name, style="prompt", minutes=ticks / 3_600, settings={**_ARTICLE, "every": every})
                for name, ticks, every in (
                    ("100,000 ticks for 25 epochs", 100_000, 1),
                    ("all 500,000 ticks for 5 epochs", 500_000, 1),
                    ("every 5th of 500,000 ticks for 25 epochs", 500_000, 5),
                )
            ),
            errors=(
                "100,000 ticks for 25 epochs",
                "all 500,000 ticks for 5 epochs",
                "every 5th of 500,000 ticks for 25 epochs",
            ),
            held_out=True,
        ),
        Study(
            "hopper",
            "The second article's seven networks",
            tuple(row for games in (80, 1, 4, 11, 25) for row in _hopper(games)),
            episodes=20,
            findings=(
                Finding("Adam over SGD", (("tanh, Adam", "tanh, SGD"), ("ReLU, Adam", "ReLU, SGD"))),
                Finding("ReLU over tanh", (("ReLU, SGD", "tanh, SGD"), ("ReLU, Adam", "tanh, Adam"))),
                Finding("L2 over none", (("tanh, Adam, L2", "tanh, Adam"), ("ReLU, Adam, L2", "ReLU, Adam"))),
                Finding("an LSTM output over a linear one", (("ReLU, Adam, LSTM output", "ReLU, Adam"),)),
            ),
            errors=("ReLU, SGD; 80 games", "ReLU, Adam; 80 games"),
            note="The article's figures are in its order; it describes its networks only by what varied.",
        ),
        Study(
            "expert",
            "Clones of Hopper's expert with the default settings",
            tuple(Row(f"{count(games, 'game')}", env="hopper", games=games, seeds=(0, 1, 2)) for games in (1, 4, 10)),
            episodes=50,
        ),
        Study(
            "games",
            "Clones of ten Atari games' scripted players with the default settings",
            tuple(Row(title, env=env, minutes=15, random=True) for title, env in _GAMES.items()),
            episodes=12,
            note="The ratio counts from the random player's score. In brackets 95 % intervals.",
        ),
    )
}
