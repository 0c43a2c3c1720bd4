"""What the user does to the runs and clones of a library: delete, bring back, rename, import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from trainer.errors import PolicyError
from trainer.runs.messages import Messages
from trainer.runs.policy_library import Policies
from trainer.runs.run_list import RunList
from trainer.runs.runs import Run, Runs


def rename_twin(kept: Runs, policies: Policies, name: str, new: str) -> Path:
    """Give a clone another name; a run that is resumed goes on with it. Returns its file.

    Raises PolicyError for a name that cannot be, and while the clone is in training, RunError.
    """
    before, runs = policies.find(name), kept.all()
    _refuse(runs, before)
    after = policies.rename(name, new)
    for run in runs:
        if run.resumable and run.setup is not None and run.policy == before:
            target = after.name if run.setup.policy == before.name else str(after)
            kept.set_setup(run.id, replace(run.setup, policy=target))
    return after


def trash_twin(kept: Runs, policies: Policies, name: str) -> Path:
    """Move a clone to the trash; returns where it lies. Raises PolicyError, also while it is in training."""
    _refuse(kept.all(), policies.find(name))
    return policies.trash(name)


def _refuse(runs: Sequence[Run], twin: Path) -> None:
    reason = _in_training(runs, twin)
    if reason:
        raise PolicyError(reason)


def _in_training(runs: Sequence[Run], twin: Path) -> str:
    if any(run.active and run.policy == twin for run in runs):
        return f"“{twin.stem}” is in training; pause or stop that first"
    return ""


class LibraryEdits:
    """Edits runs and clones and tells of it in `messages`; `changed` is called after each attempt."""

    def __init__(
        self, kept: Runs, policies: Policies, run_list: RunList, messages: Messages, changed: Callable[[], None]
    ) -> None:
        self._kept, self._policies, self._run_list = kept, policies, run_list
        self._messages, self._changed = messages, changed
        self._bring_back: Callable[[], object] | None = None

    @property
    def can_undo(self) -> bool:
        """Whether there is something to bring back from the trash."""
        return self._bring_back is not None

    def undo(self) -> None:
        """Bring back what was deleted last."""
        if self._bring_back is not None:
            bring_back, self._bring_back = self._bring_back, None
            self._do(bring_back)

    def delete_run(self, run: str) -> None:
        """Move a run to the trash; `undo` brings it back."""

        def delete() -> None:
            policy = self._kept.get(run).policy
            where = self._kept.trash(run)
            self._bring_back = lambda: self._kept.restore(where)
            self._run_list.forget(run)
            twin = "; its twin is kept" if policy is not None and policy.exists() else ""
            self._messages.notice = f"Moved the run to the trash{twin}."

        self._do(delete)

    def delete_twin(self, name: str) -> None:
        """Move a clone to the trash; `undo` brings it back."""

        def delete() -> None:
            where = trash_twin(self._kept, self._policies, name)
            self._bring_back = lambda: self._policies.restore(where)
            self._messages.notice = f"Moved “{name}” to the trash."

        self._do(delete)

    def rename_twin(self, name: str, new: str) -> None:
        """Give a clone another name; one that cannot be is told as an error."""
        self._do(lambda: rename_twin(self._kept, self._policies, name, new))

    def why_not(self, twin: Path) -> str:
        """Why a clone cannot be renamed or deleted now, as a sentence; empty if it can: its training writes it."""
        return _in_training(self._run_list.runs, twin)

    def import_twin(self, file: Path) -> None:
        """Copy a policy file into the library; one that is none is told as an error."""

        def take_over() -> None:
            self._messages.notice = f"{self._policies.take_over(file).stem} is among your twins now."

        self._do(take_over)

    def _do(self, action: Callable[[], object]) -> None:
        self._messages.clear()
        self._messages.attempt(action)
        self._changed()
