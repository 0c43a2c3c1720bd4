"""New runs: one of all that is chosen, or one for each participant. They go to the end of the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from recorder.errors import TwinplayError
from recorder.library.library import ensure_writable
from recorder.store.session import Session
from recorder.system.texts import count
from trainer.config import TrainConfig
from trainer.runs.messages import Messages
from trainer.runs.participants import Participants
from trainer.runs.policy_library import Policies
from trainer.runs.run_list import RunList
from trainer.runs.runs import Run, Runs, RunState
from trainer.runs.selection import Choice


class NewRuns:
    """Adds runs to `kept` and to the `run_list`, and tells of it in `messages`.

    `settings` gives those for an environment, the name of the preset that they are, and the policy to go on from.
    """

    def __init__(
        self,
        kept: Runs,
        policies: Policies,
        run_list: RunList,
        choice: Choice,
        messages: Messages,
        settings: Callable[[str], tuple[TrainConfig, str, Path | None]],
    ) -> None:
        self._kept, self._policies, self._run_list = kept, policies, run_list
        self._choice, self._messages, self._settings = choice, messages, settings

    @property
    def participants(self) -> Participants:
        """The people who played what is chosen."""
        return Participants.of(self._choice.chosen_rows)

    def add(self) -> None:
        """A run that learns from all that is chosen."""
        self._messages.clear()
        run = self._create(self._choice.paths)
        if run is not None and not self._show(run):
            self._messages.notice = "Queued behind the training in progress; see Runs."

    def add_each(self) -> None:
        """A run for each participant, whose twin is named after them; nothing where there are not several."""
        participants = self.participants
        if participants.why_not:
            return
        self._messages.clear()
        made = [run for name, paths in participants.sessions.items() if (run := self._create(paths, name)) is not None]
        if not made:
            return
        self._show(made[0])
        others = count(participants.others, "session")
        left_out = f" Left out: {others} without a person's name." if participants.others else ""
        trainings = count(len(made), "training")
        self._messages.notice = f"Queued {trainings}, one for each of {participants.names}; see Runs.{left_out}"

    def _show(self, run: Run) -> bool:
        """Show a new run, unless another is trained, which stays in view; returns whether it is shown."""
        shown = not any(other.status.state is RunState.RUNNING for other in self._run_list.runs)
        if shown:
            self._run_list.show(run.id)
        return shown

    def _create(self, paths: Sequence[Path], name: str = "") -> Run | None:
        """A new run, whose twin is called `name` if that is given. None if there is a problem, which is told."""
        try:
            ensure_writable(self._policies.folder)
            sessions = [Session.open(path) for path in paths]
            config, preset, parent = self._settings(sessions[0].spec.name)
            used = self._choice.used_games(sessions)
            sessions = [session for session in sessions if used.episodes.get(session.name, (0,))]
            taken = [run.policy for run in self._run_list.runs]
            run = self._kept.create(
                sessions,
                config,
                preset=preset,
                episodes=used.episodes,
                left_out=used.left_out,
                policy=self._policies.new_file(name, taken) if name else None,
                parent=parent,
            )
        except (TwinplayError, OSError) as error:
            self._messages.error = str(error)
            return None
        self._run_list.runs.insert(0, run)
        return run
