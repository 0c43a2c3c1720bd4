"""Learning from corrections of a clone, and going on from a policy."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from recorder import RandomAgent, Session, get_spec, record
from recorder.agents.experts.supervisors import supervisor
from recorder.agents.shared_control import PlayingClone, SharedControl
from tests.trainer.conftest import TINY, recorded
from trainer import Policy, PolicyError, TrainConfig, TrainingError, fit
from trainer.data.dataset import Dataset
from trainer.evaluation.demonstrator import Demonstrator, scores_learned_from
from trainer.learn.origin import Origin
from trainer.learn.sample import Sample, sampling
from trainer.policy.header import facts, read_header
from trainer.policy.keypoints import KeypointNet
from trainer.policy.policy_file import save_policy


@pytest.fixture(scope="session")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Twenty seconds of a random player with the supervisor."""
    shared = SharedControl(PlayingClone(RandomAgent(get_spec("breakout"))), supervisor("breakout"))
    return recorded(tmp_path_factory, "corrected", shared, "breakout", seconds=20)


def nature(**changes: object) -> TrainConfig:
    return TrainConfig.for_env("breakout", network="nature", **{**TINY, **changes})


def test_only_what_the_supervisor_did_is_learned_from_and_as_often_as_the_rest(
    breakout: Session, corrected: Session
) -> None:
    together = corrected.corrections
    assert together is not None
    wanted = together.to_imitate()
    config = nature(correction_share=0.5)
    data = Dataset([breakout, corrected], config)
    try:
        list(data.load())
        shown = np.concatenate([np.ones(len(breakout), bool), wanted])
        rows = np.concatenate([*data.train_rows.blocks(), *data.validation_rows.blocks()])
        assert shown[rows].all()
        assert len(rows) == shown.sum()
        counts = np.bincount(breakout.actions, minlength=4) + np.bincount(corrected.actions[wanted], minlength=4)
        np.testing.assert_allclose(data.action_shares, counts / counts.sum())
        sampler = data._sampler
        assert sampler is not None
        drawn = sampler.draw(np.random.default_rng(0), 4_000)
        share = float((drawn >= len(breakout)).mean())
        assert share == pytest.approx(0.5, abs=0.05)
    finally:
        data.close()


def test_a_session_of_corrections_alone_can_be_learned_from(corrected: Session) -> None:
    data = Dataset([corrected], nature())
    try:
        list(data.load())
        assert len(data.validation_rows) > 0
        assert len(data.train_rows) > 0
    finally:
        data.close()


def test_a_clone_that_nobody_corrected_teaches_nothing(tmp_path: Path) -> None:
    class Idle:
        """Never takes over."""

        from recorder.agents.shared_control import Handover

        taking, giving = Handover.DANGER, Handover.SAFE

        def reset(self, env: object) -> None: ...

        def intervenes(self, observation: object, proposal: object, correcting: bool) -> bool:
            return False

        def act(self, observation: object) -> int:
            return 0

        def describe(self) -> dict[str, object]:
            return {"kind": "scripted", "name": "idle", "params": {}}

    shared = SharedControl(PlayingClone(RandomAgent(get_spec("breakout"))), Idle())
    session = record("breakout", shared, library=tmp_path, seconds=2)
    with pytest.raises(TrainingError, match="nobody corrected the clone in these sessions"):
        list(fit([session], nature(), out=tmp_path / "a.safetensors"))


def test_a_training_goes_on_from_a_policy_and_says_so(
    breakout: Session, corrected: Session, nature_policy: Path, tmp_path: Path
) -> None:
    parent = Policy.load(nature_policy)
    out = tmp_path / "further.safetensors"
    # A rate near zero leaves the weights as they were: it did begin from them.
    config = parent.config.further().with_changes(learning_rate=1e-7, ema=0.0, max_batches=1, play_games=0)
    list(fit([breakout, corrected], config, out=out, parent=nature_policy))
    further = Policy.load(out)
    before, after = (dict(policy.net.named_parameters()) for policy in (parent, further))
    assert all(np.allclose(before[name].detach(), after[name].detach(), atol=1e-5) for name in before)
    header = facts(read_header(out))
    assert header.parent is not None
    assert header.parent.sha256 == hashlib.sha256(nature_policy.read_bytes()).hexdigest()
    assert [session.corrections > 0 for session in header.sessions] == [False, True]
    assert parent.config.further().max_batches == max(1, (parent.config.max_batches or 4) // 4)

    again = tmp_path / "again.safetensors"
    list(fit([breakout], config, out=again, parent=out))
    third = facts(read_header(again)).parent
    assert third is not None
    assert third.parents == 1


def test_a_breakout_policy_that_goes_on_learns_to_see_more(
    breakout: Session, breakout_policy: Path, tmp_path: Path
) -> None:
    out = tmp_path / "further.safetensors"
    stages = [step.stage for step in fit([breakout], out=out, parent=breakout_policy)]
    assert "look" in stages
    before, after = sights(breakout_policy), sights(out)
    unit = ("own", "locator.used", "locator.mean", "locator.scale")  # what a position is stays as it was
    assert all(torch.equal(before[name], after[name]) for name in unit)
    assert not torch.equal(before["locator.maps.0.weight"], after["locator.maps.0.weight"])
    positions = facts(read_header(breakout_policy)).positions
    assert {99, 101, 72} <= {position.byte for position in positions}  # the ball and the paddle
    assert facts(read_header(out)).positions == positions


def test_a_policy_that_does_not_say_what_it_sees_goes_on_as_it_sees(
    breakout: Session, breakout_policy: Path, tmp_path: Path
) -> None:
    early, out = tmp_path / "early.safetensors", tmp_path / "further.safetensors"
    policy = Policy.load(breakout_policy)
    save_policy(early, policy.net, {name: value for name, value in policy.header.items() if name != "positions"})
    stages = [step.stage for step in fit([breakout], out=out, parent=early)]
    assert "look" not in stages
    before, after = sights(early), sights(out)
    assert all(torch.equal(before[name], after[name]) for name in before)


def sights(policy: Path) -> dict[str, torch.Tensor]:
    net = Policy.load(policy).net
    assert isinstance(net, KeypointNet)
    return net.sight()


def test_half_of_what_it_looks_at_is_new_to_it_and_its_own_play_is_in_it(
    breakout: Session, corrected: Session, breakout_policy: Path, tmp_path: Path
) -> None:
    earlier = Origin.read(breakout_policy, breakout.spec, tmp_path / "further.safetensors").earlier
    assert earlier is not None
    config = earlier.policy.config.further(play_ticks=400, max_batches=12)
    data = Dataset([breakout, corrected], config)
    try:
        *_, sample = sampling(data.tick_table, config, earlier)
        assert isinstance(sample, Sample)
        new = [rows for rows in sample.stretches if rows.start >= len(breakout)]
        assert sum(map(len, new)) == len(corrected)  # all of it, as it is short
        assert len(sample.lengths) > 2 * len(sample.stretches)  # beside these and the detours, its own games
        assert sample.places == earlier.places
    finally:
        data.close()


def test_what_cannot_be_gone_on_from_is_refused(
    breakout: Session, hopper: Session, nature_policy: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new.safetensors"
    with pytest.raises(PolicyError, match="was trained in another environment"):
        list(fit([hopper], out=out, parent=nature_policy))
    with pytest.raises(PolicyError, match="has another network than the settings say"):
        list(fit([breakout], nature(history=(0, 4)), out=out, parent=nature_policy))
    with pytest.raises(PolicyError, match="would be replaced by what is learned from it"):
        list(fit([breakout], out=nature_policy, parent=nature_policy))
    with pytest.raises(PolicyError, match="does not exist"):
        list(fit([breakout], out=out, parent=tmp_path / "none.safetensors"))
    assert not out.exists()


def test_the_demonstrator_is_who_played_not_who_corrected(
    breakout: Session, corrected: Session, nature_policy: Path, tmp_path: Path
) -> None:
    out = tmp_path / "further.safetensors"
    config = Policy.load(nature_policy).config.further().with_changes(max_batches=1, play_games=0)
    list(fit([breakout, corrected], config, out=out, parent=nature_policy))
    assert Demonstrator.of_policy(read_header(out)).description == breakout.player
    assert scores_learned_from([breakout, corrected], {}, 10) == scores_learned_from([breakout], {}, 10)
