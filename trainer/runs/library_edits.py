"""What the user does to the runs and clones of a library: delete, rename, import, and undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from recorder.library.undo import UndoStack
from trainer.errors import InTrainingError
from trainer.runs.messages import Messages
from trainer.runs.policy_library import Policies
from trainer.runs.run_list import RunList
from trainer.runs.runs import Run, Runs


def rename_twin(kept: Runs, policies: Policies, name: str, rename: Callable[[], Path]) -> Path:
    """Give a clone another name by `rename`; a run that is resumed goes on with it. Returns its file.

    Raises PolicyError for a name that cannot be, and while the clone is in training, RunError.
    """
    before, runs = policies.find(name), kept.all()
    _refuse(runs, policies, before)
    after = rename()
    names = {before.name: after.name, str(before): str(after)}
    for run in runs:
        if run.resumable and run.setup is not None and {run.setup.policy, run.setup.parent} & names.keys():
            policy, parent = (names.get(each, each) for each in (run.setup.policy, run.setup.parent))
            kept.set_setup(run.id, replace(run.setup, policy=policy, parent=parent))
    return after


def trash_twin(kept: Runs, policies: Policies, name: str) -> Path:
    """Move a clone to the trash; returns where it lies. Raises PolicyError, also while it is in training."""
    _refuse(kept.all(), policies, policies.find(name))
    return policies.trash(name)


def _refuse(runs: Sequence[Run], policies: Policies, twin: Path) -> None:
    reason = _in_training(runs, policies, twin)
    if reason:
        raise InTrainingError(reason)


def _in_training(runs: Sequence[Run], policies: Policies, twin: Path) -> str:
    if any(run.active and run.policy == twin for run in runs):
        return f"“{policies.summary(twin).title}” is in training; pause or stop that first"
    return ""


class LibraryEdits:
    """Edits runs and clones and tells of it in `messages`; `changed` is called after each attempt."""

    def __init__(
        self, kept: Runs, policies: Policies, run_list: RunList, messages: Messages, changed: Callable[[], None]
    ) -> None:
        self._kept, self._policies, self._run_list = kept, policies, run_list
        self._messages, self._changed = messages, changed
        self.undone = UndoStack()

    @property
    def can_undo(self) -> bool:
        """Whether something that was done can be undone."""
        return bool(self.undone)

    def undo(self) -> None:
        """Take back what was done last."""
        done = self.undone.pop()
        if done is not None:

            def take_back() -> None:
                try:
                    done.take_back()
                except InTrainingError:
                    self.undone.put_back(done)
                    raise
                self._messages.notice = done.told

            self._do(take_back)

    def delete_run(self, run: str) -> None:
        """Move a run to the trash; `undo` brings it back."""

        def delete() -> None:
            policy = self._kept.get(run).policy
            where = self._kept.trash(run)
            self.undone.add("deleted a run", lambda: self._kept.restore(where))
            self._run_list.forget(run)
            twin = "; its twin is kept" if policy is not None and policy.exists() else ""
            self._messages.notice = f"Moved the run to the trash{twin}."

        self._do(delete)

    def delete_twin(self, name: str) -> None:
        """Move a clone to the trash; `undo` brings it back."""

        def delete() -> None:
            title = self._title(name)
            where = trash_twin(self._kept, self._policies, name)
            self.undone.add(f"deleted “{title}”", lambda: self._policies.restore(where))
            self._messages.notice = f"Moved “{title}” to the trash."

        self._do(delete)

    def rename_twin(self, name: str, new: str) -> None:
        """Give a clone another name; one that cannot be is told as an error."""

        def rename() -> None:
            before = self._title(name)
            renamed = self._call(name, new).stem
            after = self._title(renamed)
            if after != before:
                self.undone.add(f"renamed “{before}” to “{after}”", lambda: self._call(renamed, before))

        self._do(rename)

    def why_not(self, twin: Path) -> str:
        """Why a clone cannot be renamed or deleted now, as a sentence; empty if it can: its training writes it."""
        return _in_training(self._run_list.runs, self._policies, twin)

    def import_twin(self, file: Path) -> None:
        """Copy a policy file into the library; one that is none is told as an error."""

        def take_over() -> None:
            name = self._policies.take_over(file).stem
            self.undone.add(f"imported “{name}”", lambda: self._policies.trash(name))
            self._messages.notice = f"{self._title(name)} is among your twins now."

        self._do(take_over)

    def _call(self, name: str, text: str) -> Path:
        return rename_twin(self._kept, self._policies, name, lambda: self._policies.call(name, text))

    def _title(self, name: str) -> str:
        return self._policies.summary(self._policies.find(name)).title

    def _do(self, action: Callable[[], object]) -> None:
        self._messages.clear()
        self._messages.attempt(action)
        self._changed()
