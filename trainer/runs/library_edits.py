"""What the user does to the runs and clones of a library: delete, bring back, rename, import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from trainer.errors import PolicyError
from trainer.runs.messages import Messages
from trainer.runs.policy_library import Policies
from trainer.runs.run_list import RunList
from trainer.runs.runs import Runs


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
            reason = self.why_not(self._policies.find(name))
            if reason:
                raise PolicyError(reason)
            where = self._policies.trash(name)
            self._bring_back = lambda: self._policies.restore(where)
            self._messages.notice = f"Moved “{name}” to the trash."

        self._do(delete)

    def rename_twin(self, name: str, new: str) -> None:
        """Give a clone another name; one that cannot be is told as an error."""

        def rename() -> None:
            before = self._policies.find(name)
            reason = self.why_not(before)
            if reason:
                raise PolicyError(reason)
            after = self._policies.rename(name, new)
            for run in self._kept.all():  # one that is resumed goes on with the same twin
                if run.resumable and run.setup is not None and run.policy == before:
                    target = after.name if run.setup.policy == before.name else str(after)
                    self._kept.set_setup(run.id, replace(run.setup, policy=target))

        self._do(rename)

    def why_not(self, twin: Path) -> str:
        """Why a clone cannot be renamed or deleted now, as a sentence; empty if it can: its training writes it."""
        if any(run.active and run.policy == twin for run in self._run_list.runs):
            return f"“{twin.stem}” is in training; pause or stop that first"
        return ""

    def import_twin(self, file: Path) -> None:
        """Copy a policy file into the library; one that is none is told as an error."""

        def take_over() -> None:
            self._messages.notice = f"{self._policies.take_over(file).stem} is among your twins now."

        self._do(take_over)

    def _do(self, action: Callable[[], object]) -> None:
        self._messages.clear()
        self._messages.attempt(action)
        self._changed()
