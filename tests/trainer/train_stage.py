"""A Train page's presenter, whose training processes do what a test says."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec import structs

from recorder import Library
from trainer.progress.records import Progress
from trainer.runs.presenter import TrainPresenter
from trainer.runs.runs import Runs, RunState
from trainer.runs.session_facts import FactsReader, SessionFacts, read_facts


class Immediately(FactsReader):
    """Reads without a thread."""

    def __init__(self) -> None:
        self.found: dict[Path, SessionFacts] = {}

    @property
    def busy(self) -> bool:
        return bool(self.found)

    def want(self, path: Path) -> None:
        self.found[path] = read_facts(path)

    def forget(self) -> None: ...

    def take(self) -> dict[Path, SessionFacts]:
        found, self.found = self.found, {}
        return found

    def close(self) -> None: ...


class ScriptedWorker:
    """A training process that does what the test says."""

    def __init__(self, library: Path) -> None:
        self.runs = Runs(library)
        self.error: str | None = None
        self.left = False
        self.lock = self.runs.lock("")
        self.lock.acquire()
        self.run_lock = self.lock

    def poll(self) -> bool:
        return self.lock.is_locked

    def join(self, timeout: float | None = None) -> bool:
        return not self.poll()

    def leave(self) -> None:
        self.left = True

    def begin(self, run: str) -> None:
        self.run_lock = self.runs.lock(run)
        self.run_lock.acquire()
        self.set(run, RunState.RUNNING)

    def tell(self, run: str, *records: Progress) -> None:
        with (self.runs.path(run) / "progress.jsonl").open("a") as file:
            file.writelines(json.dumps(each.to_json()) + "\n" for each in records)

    def set(self, run: str, state: RunState, **facts: object) -> None:
        self.runs.set_status(run, structs.replace(self.runs.get(run).status, state=state, **facts))

    def end(self, run: str, state: RunState, **facts: object) -> None:
        self.set(run, state, **facts)
        self.vanish()

    def vanish(self, error: str | None = None) -> None:
        self.error = error
        self.run_lock.release()
        self.lock.release()


class Stage:
    """A presenter, and the processes that it started."""

    def __init__(self, library: Library) -> None:
        self.workers: list[ScriptedWorker] = []
        self.presenter = TrainPresenter(library, start=self.start, reader=Immediately())
        self.presenter.refresh()

    def start(self, library: Path) -> ScriptedWorker:
        self.workers.append(ScriptedWorker(library))
        return self.workers[-1]

    def choose(self, env: str = "breakout") -> Path:
        path = next(row.path for row in self.presenter.choice.rows if row.env == env)
        self.presenter.choice.choose(path)
        self.presenter.poll()
        return path

    def train(self) -> tuple[ScriptedWorker, str]:
        """A run that has begun."""
        self.choose()
        self.presenter.start()
        assert self.presenter.messages.error == ""
        run = self.presenter.run_list.shown
        self.workers[-1].begin(run)
        self.presenter.poll()
        return self.workers[-1], run
