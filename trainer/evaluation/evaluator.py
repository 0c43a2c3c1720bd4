"""Test games: a few processes play those of several searches together.

    search ─▶ games that it wants ─┐
    search ─▶ games that it wants ─┴▶ Evaluator, all at once ─▶ results, to each its own ─▶ games that it wants …

A network takes the screens of all its games as one batch, so a game takes half the time if there are eight of them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from recorder.system.jobs import Service
from trainer.evaluation.games import SIGN_OF_LIFE_TICKS, GameWorker, PlannedGame
from trainer.evaluation.scores import GameResult, in_order

_WORTH_A_PROCESS = 20_000  # ticks: playing them takes about as long as starting a process
_PATIENCE_S = 0.25
# Asks for games, is sent their results, and in the end returns what it found.
Search = Generator[list[PlannedGame], list[GameResult], Any]


class Evaluator:
    """Plays test games, in this process or, if that is faster, in several processes that share the games.

    The processes run from `start`, or the first games that are worth it, until `close`.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self.ticks = 0  # played so far
        self._workers: list[Service] = []
        self._worker = GameWorker()

    def play(self, planned: Sequence[PlannedGame], max_ticks: int) -> Iterator[float | list[GameResult]]:
        """Now and then yields the approximate share that is done, and finally the results."""
        steps, done = max_ticks / SIGN_OF_LIFE_TICKS, 0
        over: dict[int, GameResult] = {}
        if not self._worth_processes(len(planned) * max_ticks):
            self._worker.begin(planned, 0.0, max_ticks)
            while len(over) < len(planned):
                over |= self._worker.advance()
                done += 1
                yield min(1.0, done / steps)
            yield self._in_order(over)
            return
        self.start(len(planned) * max_ticks)
        shares = [range(first, len(planned), self._processes) for first in range(min(self._processes, len(planned)))]
        game_workers = dict(zip(self._workers, shares, strict=False))
        for game_worker, share in game_workers.items():
            game_worker.request("begin", [planned[k] for k in share], 0.0, max_ticks)
            game_worker.request("advance")
        while len(over) < len(planned):
            Service.wait(list(game_workers), _PATIENCE_S)
            for game_worker, share in game_workers.items():
                for method, ended in game_worker.poll():
                    if method != "advance":
                        continue
                    over |= {share[number]: result for number, result in ended.items()}
                    done += 1
                    if not all(k in over for k in share):
                        game_worker.request("advance")
            yield min(1.0, done / steps / len(game_workers))
        yield self._in_order(over)

    def _in_order(self, over: Mapping[int, GameResult]) -> list[GameResult]:
        self.ticks += sum(result.ticks for result in over.values())
        return in_order(over)

    def start(self, ticks: int) -> None:
        """Start the processes already, if they are worth it for so many ticks."""
        if self._worth_processes(ticks) and not self._workers:
            self._workers = [Service("trainer.evaluation.games:GameWorker", {}) for _ in range(self._processes)]
            for game_worker in self._workers:
                game_worker.request("use_one_core")

    def _worth_processes(self, ticks: int) -> bool:
        return self._processes > 1 and ticks >= _WORTH_A_PROCESS

    def close(self) -> None:
        """End the processes, if necessary in the middle of their games."""
        for game_worker in self._workers:
            game_worker.close(patience_s=0.0)
        self._workers.clear()
        self._worker.close()


def play_searches(evaluator: Evaluator, searches: Sequence[Search], max_ticks: int) -> Iterator[int | list[Any]]:
    """Play what searches ask for, in games of at most `max_ticks` ticks; yields the approximate number of ticks that
    the evaluator has played, and finally what each search found.
    """
    found: list[Any] = [None] * len(searches)
    wanted: dict[int, list[PlannedGame]] = {}

    def go_on(number: int, results: list[GameResult] | None) -> None:
        try:
            wanted[number] = next(searches[number]) if results is None else searches[number].send(results)
        except StopIteration as over:
            found[number] = over.value

    for number in range(len(searches)):
        go_on(number, None)
    while wanted:
        asked, wanted = wanted, {}
        planned = [game for games in asked.values() for game in games]
        before = evaluator.ticks
        for step in evaluator.play(planned, max_ticks):
            if isinstance(step, float):
                yield before + round(step * len(planned) * max_ticks)
                continue
            results = iter(step)
            for number, games in asked.items():
                go_on(number, [next(results) for _ in games])
    yield found
