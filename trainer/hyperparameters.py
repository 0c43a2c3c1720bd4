"""What decides how a clone is trained: each setting, once.

A field says its type, default and limits; its `title`, where the advanced panel of the Train page shows it; what it
does; the `kind` of environment that it means something to, "screen" or "vector", where that is only one; what None is
called, `off`; and what docs/format.md calls its default, `absent`, where a file cannot lack it. The panel, `--set`,
`--list-settings`, the errors and docs/format.md are made from that.

Hidden rows. A clone that always sees what it did a moment ago learns to repeat it instead of watching the ball (de
Haan et al. 2019, "Causal confusion in imitation learning"). One that never does cannot know how fast its paddle
glides (Bansal et al. 2019, "ChauffeurNet", hide a driver's past in half of the samples). Play decides whether the
clone sees them.

Label shifts and windows. The clone sees all of the screen as it is now, and so answers at once to what its
demonstrator answered to after a reaction time; but for the hidden rows: where one's own paddle is, one knows
without looking. Every sample is of one of the shifts, drawn evenly. The shares of the actions in the next eight
ticks tell what the player means to do better than the tick does at which a key happens to go down. Each shift and
window has outputs of its own, among which play chooses.

A network "keypoints" first learns to see where things are (trainer.policy.keypoints) from screens of the recording
and what the emulator's memory holds at them; then it learns to play from where things are, and what is said of
screens is said of positions. It knows no mirror, no shift and no hidden rows: what is the player's own is found out
by trying.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from recorder.errors import UsageError
from recorder.system.records import check, said

AUTO = "auto"
LEAST_POSITIONS, MOST_POSITIONS = 8, 16
ScreenNetwork = Literal["keypoints", "nature", "article64"]
VectorNetwork = Literal["mlp", "lstm"]
NETWORKS: dict[str, tuple[str, ...]] = {"screen": get_args(ScreenNetwork), "vector": get_args(VectorNetwork)}

_Row = Annotated[int, Meta(ge=0, le=1_000)]
_Age = Annotated[int, Meta(ge=0, le=60)]
_Window = Annotated[int, Meta(ge=1, le=60)]
_Positions = Annotated[int, Meta(ge=LEAST_POSITIONS, le=MOST_POSITIONS)]
_Period = Annotated[int, Meta(ge=2, le=256)]
_Width = Annotated[int, Meta(ge=1, le=4_096)]


class Hyperparameters(msgspec.Struct, frozen=True):
    """The fields of TrainConfig. Raises UsageError for values that cannot be meant."""

    # Budget: whichever comes first. The one-cycle learning rate (Smith 2018) spans it.
    max_seconds: (
        Annotated[
            float,
            said(
                "Training ends after this many seconds of all sittings.",
                "Maximum time (s)",
                ge=0.1,
                le=10_000_000,
                off="no limit",
            ),
        ]
        | None
    ) = None
    max_batches: (
        Annotated[
            int,
            said(
                "Training ends after this many batches. With a budget in batches a run can be repeated exactly.",
                "Maximum batches",
                ge=1,
                le=10_000_000,
                off="no limit",
            ),
        ]
        | None
    ) = None
    warm_up: Annotated[
        float, said("The first share of the budget, in which the learning rate rises.", ge=0, le=0.9)
    ] = 0.03

    # Network
    network: Annotated[
        Literal["auto", ScreenNetwork, VectorNetwork],
        said(
            "keypoints: for screens; first learns where things are, then to play from that. nature: the network of "
            "Mnih et al. 2015; article64: a smaller one. mlp: two layers for vectors; lstm: one with a memory.",
            "Network",
            absent="",
        ),
    ] = "auto"
    activation: Annotated[Literal["relu", "tanh"], said("What follows each layer; keypoints always has relu.")] = "relu"
    hidden: Annotated[
        tuple[_Width, ...], said("Widths of the layers for vectors and positions.", min_length=1, max_length=8)
    ] = (128, 64)
    sequence: Annotated[int, said("Ticks in a row that an lstm learns from.", ge=2, le=512, kind="vector")] = 32

    # Steps
    batch_size: Annotated[
        int, said("Ticks (for an lstm: sequences) that each step learns from.", "Batch size", ge=1, le=4_096)
    ] = 128
    learning_rate: Annotated[
        float,
        said(
            "How far each step goes, at most: it rises at first and then falls over the whole budget.",
            "Learning rate",
            ge=1e-7,
            le=1,
        ),
    ] = 1e-3
    weight_decay: Annotated[
        float, said("Pulls weights towards zero: more of it keeps simple what is learned.", "Weight decay", ge=0, le=10)
    ] = 1e-2
    optimizer: Annotated[
        Literal["adam", "sgd"],
        said("adam suits nearly everything; sgd is the classic, with momentum 0.9.", "Optimizer"),
    ] = "adam"

    # What it sees
    crop: Annotated[
        tuple[_Row, _Row], said("Rows of the screen that the network sees: first, last + 1.", kind="screen")
    ] = (0, 1_000)
    size: Annotated[
        int, said("Rows and columns that the cropped screen becomes, grey.", ge=36, le=210, kind="screen")
    ] = 84
    shrink: Annotated[
        int,
        said("Makes it so many times smaller instead, so pixels stay whole; 0: see size.", ge=0, le=4, kind="screen"),
    ] = 0
    pooled_screens: Annotated[
        int,
        said("Sees the brightest pixels of so many screens; 0: 2 if things blink, else 1.", ge=0, le=4, kind="screen"),
    ] = 0
    history: Annotated[
        tuple[_Age, ...],
        said(
            "Ages, in ticks, of the screens that it sees at once; 0 comes first.",
            min_length=1,
            max_length=16,
            kind="screen",
        ),
    ] = (0, 2, 4, 8, 16)
    whiten: Annotated[bool, said("Divides every pixel by how much it varies.", kind="screen")] = True
    hidden_rows: Annotated[
        tuple[_Row, ...],
        said(
            "Rows of the screen where only the player's own figure moves: first, last + 1. The older screens do not "
            "show them in the share hidden_share of the samples.",
            max_length=2,
            kind="screen",
        ),
    ] = ()
    hidden_columns: Annotated[
        tuple[_Row, ...],
        said("The same for columns of the screen; with both, only where they cross.", max_length=2, kind="screen"),
    ] = ()
    hidden_share: Annotated[
        float,
        said(
            "The share of the samples in which it does not see where its own figure was. What always sees that learns "
            "to repeat itself instead of watching the game.",
            "Hide its own past",
            ge=0,
            le=1,
            kind="screen",
        ),
    ] = 0.5

    # Samples
    every: Annotated[
        int, said("Learns from each so-many-th tick only; it still sees and plays tick by tick.", ge=1, le=1_000)
    ] = 1
    mirror: Annotated[
        float,
        said(
            "The share of samples that are seen in the mirror: as good as twice the play. Not for keypoints.",
            "Mirror",
            ge=0,
            le=1,
            kind="screen",
        ),
    ] = 0.5
    shift: Annotated[
        int,
        said(
            "Screens are moved by up to this much, so that places count less. Not for keypoints.",
            "Shift (pixels)",
            ge=0,
            le=16,
            kind="screen",
        ),
    ] = 5
    dropout: Annotated[
        float,
        said("The share of a layer left out at random. For keypoints only.", "Dropout", ge=0, le=0.9, kind="screen"),
    ] = 0.0
    rare_action_share: Annotated[
        float,
        said(
            "An action rarer than this (the serve) is drawn until it has that share of the samples.",
            "Rare actions",
            ge=0,
            le=0.25,
            kind="screen",
        ),
    ] = 0.01
    correction_share: Annotated[
        float,
        said(
            "The share of the samples that are corrections of a clone, if there are any.", "Corrections", ge=0, le=0.95
        ),
    ] = 0.5
    label_shifts: Annotated[
        tuple[_Age, ...],
        said("Possible reaction times, in ticks, rising; play chooses one.", min_length=1, max_length=8),
    ] = (0,)
    label_windows: Annotated[
        tuple[_Window, ...],
        said("Ticks, from its own on, that a label is of, rising; play chooses one.", min_length=1, max_length=4),
    ] = (1,)
    positions: Annotated[
        _Positions, said("For keypoints: its positions; up to 16 if a recording has more.", kind="screen")
    ] = LEAST_POSITIONS
    waves: Annotated[
        tuple[_Period, ...],
        said(
            "For keypoints: periods (pixels) of sines and cosines of its positions; set if there are more than 8.",
            max_length=8,
            kind="screen",
        ),
    ] = ()
    aims: Annotated[
        tuple[_Window, ...],
        said("For keypoints: ticks later, where its demonstrator would be; or none.", max_length=8, kind="screen"),
    ] = ()
    action_history: Annotated[
        int, said("For keypoints: ticks whose actions tell how its own figure moves on.", ge=0, le=64, kind="screen")
    ] = 0
    scout: Annotated[
        bool,
        said(
            "For keypoints: games of a player that is told where things are, and of its own first version, show it "
            "more screens than the recording has.",
            kind="screen",
        ),
    ] = True
    exchange_own: Annotated[
        bool, said("For keypoints: backgrounds change where its own figure moves, to the end.", kind="screen")
    ] = False

    # What is kept
    ema: Annotated[
        float, said("How long the average of the weights is: it is what plays. 0: none.", "Averaging", ge=0, le=0.99999)
    ] = 0.999
    validations: Annotated[int, said("Validations in the whole budget.", ge=1, le=1_000)] = 20
    patience: Annotated[
        int, said("Training ends after this many validations without a lower loss.", "Patience", ge=1, le=1_000)
    ] = 12
    validation_share: Annotated[
        float, said("The share of the play that is kept apart to judge it by.", "Held out", ge=0.01, le=0.5)
    ] = 0.1
    checks: Annotated[
        int, said("How often a few short games judge it while it trains.", "Games while training", ge=0, le=100)
    ] = 3
    play_games: Annotated[
        int, said("Games that choose how it plays best; 0: none.", "Games at the end", ge=0, le=100)
    ] = 6
    play_ticks: Annotated[int, said("Ticks that each of these games lasts at most.", ge=60, le=36_000)] = 9_000

    # This machine
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        said("Numbers of the network while it trains; auto takes the faster on this machine.", "Precision"),
    ] = "auto"
    seed: Annotated[int, said("Another seed draws other weights and batches.", "Seed", ge=0, le=2**63 - 1)] = 0
    threads: Annotated[int, said("Threads of the network.", ge=1, le=256, off="all cores")] | None = None
    cache_bytes: Annotated[
        int,
        said(
            "Temporary files at most; of more play than fits, batches are drawn from one large random part after the "
            "other.",
            ge=100_000,
            le=10**15,
        ),
    ] = 8_000_000_000

    def __post_init__(self) -> None:
        try:
            check(self)
        except ValueError as error:
            raise UsageError(str(error)) from None
        _check_orders(self)


def _check_orders(settings: Hyperparameters) -> None:
    """Raises UsageError for numbers in a wrong order."""
    if settings.history[0] != 0:
        raise UsageError(f"history {settings.history} must begin with 0, the screen of the moment")
    for name in ("crop", "hidden_rows", "hidden_columns"):
        places = getattr(settings, name)
        if places and not (len(places) == 2 and places[0] < places[1]):
            raise UsageError(f"{name} {places} must be two numbers, the smaller one first")
    for name in ("label_shifts", "label_windows", "aims"):
        ticks = getattr(settings, name)
        if list(ticks) != sorted(set(ticks)):
            raise UsageError(f"{name} {ticks} must be different numbers of ticks, rising")
