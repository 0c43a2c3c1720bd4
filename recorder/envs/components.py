"""Several actions at a time, as one list of actions: each combination of choices is an action of its own.

    [["-", "LEFT", "RIGHT"], ["-", "FIRE"]]  ──▶  NOOP, LEFT, RIGHT, FIRE, LEFT+FIRE, RIGHT+FIRE

This is how the Atari's 18 actions are made, too. So players, networks and figures know discrete actions only; the
back end looks up the vector that the simulator takes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

AT_REST = "-"  # the choice of a component that is made while nothing is held
MOST_COMBINATIONS = 64
_NOTHING = "NOOP"


def expanded(components: Any) -> dict[str, Any]:
    """The entries of EnvSpec for components, each a list of its choices' names in the simulator's order.

    Raises ValueError for anything else.
    """
    _check(components)
    combinations = sorted(
        itertools.product(*(range(len(each)) for each in components)), key=lambda some: len(_pressed(components, some))
    )
    pressed = {combination: _pressed(components, combination) for combination in combinations}
    names = {combination: "+".join(choices) or _NOTHING for combination, choices in pressed.items()}
    return {
        "action_dtype": "uint8",
        "action_names": list(names.values()),
        "action_vectors": [list(combination) for combination in combinations],
        "chords": {names[each]: choices for each, choices in pressed.items() if len(choices) > 1},
    }


def _pressed(components: Sequence[Sequence[str]], combination: Sequence[int]) -> list[str]:
    """The choices of a combination that are not made at rest."""
    choices = [each[index] for each, index in zip(components, combination, strict=True)]
    return [choice for choice in choices if choice != AT_REST]


def _check(components: Any) -> None:
    if not isinstance(components, list) or not components or not all(isinstance(each, list) for each in components):
        raise ValueError("[action] components are lists of names, one for each component")
    choices = [choice for each in components for choice in each]
    if not all(isinstance(choice, str) and choice and "+" not in choice for choice in choices):
        raise ValueError("the choices of components are names without +")
    if any(each.count(AT_REST) != 1 for each in components):
        raise ValueError(f'each component has one choice "{AT_REST}", which is made while nothing is held')
    named = [choice for choice in choices if choice != AT_REST]
    if len(set(named)) < len(named) or _NOTHING in named:
        raise ValueError(f"the choices of components need names of their own, other than {_NOTHING}")
    count = math.prod(map(len, components))
    if count > MOST_COMBINATIONS:
        raise ValueError(f"its components have {count:,} combinations; up to {MOST_COMBINATIONS} can be recorded")
