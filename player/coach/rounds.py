"""Rounds of correction by a scripted supervisor, and what each is worth.

    policy ─▶ it plays, the supervisor takes over ─▶ session ─▶ a training that goes on from the policy ─▶ games
       ▲                                                                         │
       └──────────────────────────── the next round ◀────────────────────────────┘

For comparison, a training learns in the same way from as many minutes of plain play by the clone's own demonstrator.
All files lie in one folder; what is already there is not made again.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from player.coach.results import Results, RoundScore
from recorder.agents.agent import Agent, describe, tell
from recorder.agents.experts import from_description
from recorder.agents.experts.supervisors import supervisor
from recorder.agents.shared_control import PlayingClone, SharedControl
from recorder.envs.game import start_actions
from recorder.envs.registry import get_spec
from recorder.envs.spec import EnvSpec
from recorder.errors import UsageError
from recorder.library.library import Library, ensure_writable
from recorder.play.rollout import episode_seed
from recorder.recording.headless import recording
from recorder.store.session import Session
from trainer.errors import PolicyError
from trainer.evaluation.demonstrator import Demonstrator
from trainer.evaluation.evaluate import evaluate, play_games
from trainer.evaluation.scores import Score, in_order
from trainer.evaluation.table import evaluation_seed
from trainer.policy.header import LearnedFrom, facts, read_playable

if TYPE_CHECKING:
    from recorder.envs.gymnasium import Env

_FEW = 4
CORRECTED, PLAIN = "corrected", "plain play"


@dataclass(frozen=True)
class CoachProgress:
    """What is being done, and the share of all that is done; `scores` are those known so far."""

    text: str
    share: float
    scores: tuple[RoundScore, ...]


class VariedStart:
    """A clone whose games begin in different ways, drawn from a seed: with the moves of varied starts.

    In a recording these must be played as actions, or it could not be simulated again.
    """

    def __init__(self, clone: Agent, spec: EnvSpec, seed: int) -> None:
        self._clone, self._spec, self._seed = clone, spec, seed
        self._game = -1
        self._moves: list[int] = []

    def reset(self, env: Env | None = None) -> None:
        """Begin a game."""
        self._clone.reset(env)
        self._game += 1
        self._moves = start_actions(self._spec, episode_seed(self._seed, self._game))

    def act(self, observation: Any) -> Any:
        """The next move of the start, or the clone's action."""
        action = self._clone.act(observation)
        return self._moves.pop(0) if self._moves else action

    def played(self, action: Any) -> None:
        """See `recorder.agents.agent.Informed`."""
        tell(self._clone, action)

    def describe(self) -> dict[str, Any]:
        """That of the clone."""
        return describe(self._clone)


class Coaching:
    """See the module's docstring; run `steps` to its end.

    Raises UsageError, PolicyError, SessionError or AgentError if it cannot begin.
    """

    def __init__(
        self,
        policy: Path,
        *,
        library: Path,
        out: Path,
        rounds: int = 3,
        minutes: float = 5.0,
        episodes: int = 30,
        seed: int = 0,
        plain: bool = True,
    ) -> None:
        if rounds < 1 or minutes <= 0 or episodes < 1:
            raise UsageError("nothing to coach: rounds, minutes and episodes must be above zero")
        header = read_playable(policy)
        self.spec = get_spec(facts(header).env["name"])
        self._supervisor = supervisor(self.spec.name)
        self._policy, self._out, self._rounds, self._minutes = policy, out, rounds, minutes
        self._episodes, self._seed = episodes, seed
        self._learned = [_found(told, library, policy) for told in facts(header).sessions]
        self._demonstrator = Demonstrator.of_policy(header).description if plain else None
        self._scores: list[RoundScore] = []
        ensure_writable(out)
        self._results = Results(out, policy, minutes, seed)

    def steps(self) -> Iterator[CoachProgress]:
        """Play, train and evaluate, round by round; yields progress."""
        arms = [CORRECTED] + ([PLAIN] if self._demonstrator is not None else [])
        work, done = 1 + self._rounds * len(arms), 0
        yield self._progress("playing games with the policy as it is", done, work)
        self._score_references()
        for arm in arms:
            parent, sessions = self._policy, list(self._learned)
            for number in range(1, self._rounds + 1):
                done += 1
                name = f"{'corrected' if arm == CORRECTED else 'plain'}-{number}"
                yield self._progress(f"{arm}, round {number}: recording {self._minutes:g} minutes", done, work)
                sessions.append(self._record(arm, number, name, parent))
                policy = self._out / f"{name}.safetensors"
                if not policy.exists():
                    for text in self._train(sessions, parent, policy):
                        yield self._progress(f"{arm}, round {number}: {text}", done, work)
                yield self._progress(f"{arm}, round {number}: playing games", done, work)
                self._keep(self._judge(arm, number, policy, sessions[len(self._learned) :]))
                parent = policy
        yield self._progress("done", work, work)

    def _progress(self, text: str, done: int, work: int) -> CoachProgress:
        return CoachProgress(text, done / work, tuple(self._scores))

    def _score_references(self) -> None:
        """The policy before the first round, its demonstrator, and the supervisor when it plays alone."""
        self._keep(self._judge("clone", 0, self._policy, []))
        for who, description in (
            ("demonstrator", self._demonstrator),
            ("supervisor", describe(self._supervisor.player)),
        ):
            if description is None:
                continue
            known = self._results.find(who, 0, self._episodes)
            if known is None:
                seeds = [evaluation_seed(self._seed, k) for k in range(self._episodes)]
                games = ChainMap(*play_games("demonstrator", seeds, "", description, 0.0, spec=self.spec))
                known = _score(who, 0, Score.of(who, who, in_order(games)))
            self._keep(known)

    def _record(self, arm: str, number: int, name: str, parent: Path) -> Session:
        """The session of a round, recorded unless it is there."""
        folder = self._out / "sessions" / name
        for path in sorted(folder.glob("*.zarr")):
            session = Session.open(path)
            if session.complete and len(session) >= round(60 * self._minutes * self.spec.rate_hz):
                return session
        ensure_writable(folder)
        seed = episode_seed(self._seed, 1_000 + 2 * number + (arm == PLAIN))
        agent: Agent
        if arm == PLAIN:
            assert self._demonstrator is not None
            agent = from_description(self._demonstrator, seed)
        else:
            from trainer.policy.policy import Policy  # torch comes with it

            clone = VariedStart(Policy.load(parent, seed=seed), self.spec, seed)
            agent = SharedControl(PlayingClone(clone), supervisor(self.spec.name, seed))
        found: Session | None = None
        for step in recording(self.spec.name, agent, library=folder, seconds=60 * self._minutes, seed=seed):
            found = step.session
        assert found is not None
        return found

    def _train(self, sessions: Sequence[Session], parent: Path, out: Path) -> Iterator[str]:
        from trainer.learn.fit import fit

        unfinished = out.with_name(f"{out.stem}.unfinished.safetensors")  # a training writes early versions, too
        for progress in fit(sessions, out=unfinished, parent=parent):
            yield f"training, {progress.stage} {100 * progress.fraction:.0f} %"
        unfinished.replace(out)

    def _judge(self, who: str, number: int, policy: Path, played: Sequence[Session]) -> RoundScore:
        known = self._results.find(who, number, self._episodes)
        if known is not None:
            return known
        report = None
        workers = 1 if self._episodes <= _FEW else None  # to start others takes longer than a few games
        for step in evaluate(policy, episodes=self._episodes, seed=self._seed, players=("clone",), processes=workers):
            report = step.report
        assert report is not None
        together = [session.corrections for session in played]
        return _score(
            who,
            number,
            report.rows[0],
            minutes=sum(session.duration_s for session in played) / 60,
            corrected_s=sum(int(each.correcting.sum()) for each in together if each) / self.spec.rate_hz,
            takeovers=sum(each.takeovers for each in together if each),
            policy=str(policy),
        )

    def _keep(self, score: RoundScore) -> None:
        self._scores.append(score)
        self._results.keep(score)


def _score(who: str, number: int, score: Score, **more: Any) -> RoundScore:
    return RoundScore(who, number, score.mean, score.low, score.high, len(score.returns), **more)


def _found(told: LearnedFrom, library: Path, policy: Path) -> Session:
    """A session that a policy learned from, in a library. Raises PolicyError if it is not there."""
    path = Library(library).path / f"{told.name}.zarr"
    if not path.is_dir():
        raise PolicyError(
            f"{policy} learned from {told.name}, which is not in {library}; give the library that has it with --library"
        )
    return Session.open(path)
