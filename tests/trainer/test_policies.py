"""The clones of a library, and those that come from elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from recorder import Session
from trainer import Policy, PolicyError
from trainer.runs.policy_library import Policies


@pytest.fixture
def policies(tmp_path: Path, hopper_policy: Path) -> Policies:
    """A library with one clone."""
    found = Policies(tmp_path)
    found.folder.mkdir()
    shutil.copy(hopper_policy, found.folder / "first.safetensors")
    return found


def test_a_clone_is_listed_with_its_score_and_what_it_learned_from(policies: Policies, hopper: Session) -> None:
    (policies.folder / "junk.safetensors").write_text("junk")
    listed = {each.name: each for each in policies.all()}
    first = listed["first"]
    assert (first.env_title, first.learned_from) == ("Hopper", (hopper.name,))
    assert first.minutes == pytest.approx(len(hopper) / 125 / 60)
    assert first.players[0]["kind"] == "scripted"
    assert first.score is not None
    assert first.problem == ""
    assert "not a readable policy" in listed["junk"].problem


def test_a_renamed_clone_plays_under_its_new_name(policies: Policies) -> None:
    path = policies.rename("first", "Ada's twin, (2)".replace("'", ""))
    assert Policy.load(path).name == "Adas twin, (2)"
    assert [each.name for each in policies.all()] == ["Adas twin, (2)"]


@pytest.mark.parametrize("name", ["", " ", "..", "../x", "a/b", "a\\b", ".hidden", "x" * 100, "a\0b", "a\nb", "end."])
def test_a_name_that_could_lead_elsewhere_is_refused(policies: Policies, name: str) -> None:
    with pytest.raises(PolicyError, match="is not a valid name"):
        policies.rename("first", name)
    with pytest.raises(PolicyError, match="has no policy named"):
        policies.find(f"../policies/first/{name}")
    assert [each.name for each in policies.all()] == ["first"]


def test_a_taken_name_is_refused(policies: Policies) -> None:
    shutil.copy(policies.find("first"), policies.folder / "second.safetensors")
    with pytest.raises(PolicyError, match="already"):
        policies.rename("first", "second")


def test_a_deleted_clone_comes_back_even_twice(policies: Policies) -> None:
    content = policies.find("first").read_bytes()
    thrown = policies.trash("first")
    assert policies.all() == []
    assert policies.trashed() == [thrown]
    (policies.folder / "first.safetensors").write_bytes(content)
    again = policies.trash("first")
    assert again != thrown
    assert policies.restore(thrown).read_bytes() == content
    with pytest.raises(PolicyError, match="not in the trash"):
        policies.restore(policies.find("first"))


def test_a_clone_from_elsewhere_is_copied_under_a_free_and_harmless_name(
    policies: Policies, hopper_policy: Path, tmp_path: Path
) -> None:
    stranger = tmp_path / "..;rm -rf \u202eevil.safetensors"
    shutil.copy(hopper_policy, stranger)
    first, second = policies.take_over(stranger), policies.take_over(stranger)
    assert first != second
    assert {first.parent, second.parent} == {policies.folder}
    assert not set(first.name) & set(";/\u202e")
    assert Policy.load(first).spec.name == "hopper"
    assert [path.name for path in policies.folder.iterdir() if path.name.startswith(".")] == []


def test_a_link_that_somebody_names_is_followed(policies: Policies, hopper_policy: Path, tmp_path: Path) -> None:
    """As a cache of downloads has them: snapshots of links to blobs that have no suffix."""
    blob, link = tmp_path / "blobs" / "5f3a", tmp_path / "snapshots" / "main" / "hoppity.safetensors"
    blob.parent.mkdir()
    link.parent.mkdir(parents=True)
    shutil.copy(hopper_policy, blob)
    link.symlink_to("../../blobs/5f3a")
    (tmp_path / "again.safetensors").symlink_to(link)
    made = [policies.take_over(link), policies.take_over(tmp_path / "again.safetensors")]
    assert [each.name for each in made] == ["hoppity.safetensors", "again.safetensors"]
    for each in made:
        assert not each.is_symlink()
        assert each.read_bytes() == hopper_policy.read_bytes()


def test_what_is_no_policy_is_not_taken_over(policies: Policies, hopper_policy: Path, tmp_path: Path) -> None:
    with safe_open(hopper_policy, framework="pt") as file:
        header = json.loads(file.metadata()["twinplay"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    files = {name: tmp_path / f"{name}.safetensors" for name in ("text", "foreign", "future", "other", "link", "pipe")}
    files["text"].write_text("hello" * 100)
    save_file({"weight": torch.zeros(3)}, files["foreign"])
    save_file(tensors, files["future"], {"twinplay": json.dumps({**header, "version": 9})})
    save_file(tensors, files["other"], {"twinplay": json.dumps({**header, "env": {"name": "pong"}})})
    files["link"].symlink_to(tmp_path / "nowhere")
    os.mkfifo(files["pipe"])
    for path in (*files.values(), tmp_path, tmp_path / "missing"):
        with pytest.raises(PolicyError) as caught:
            policies.take_over(path)
        assert "\n" not in str(caught.value)
    assert [each.name for each in policies.all()] == ["first"]


@pytest.mark.parametrize(
    "called", ["Ada / Bo", "../out", "“Zoë’s” twin 🏓", "end.", ".hidden", "x" * 80, "48 % of me?"]
)
def test_a_twin_may_be_called_anything_and_its_file_stays_in_the_library(policies: Policies, called: str) -> None:
    before = Policy.load(policies.find("first")).net.state_dict()
    path = policies.call("first", f"  {called} ")
    assert [each.title for each in policies.all()] == [called]
    assert path.parent == policies.folder
    assert policies.find(path.stem) == path
    after = Policy.load(path).net.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert policies.call(path.stem, "first").stem == "first"  # back again, and nothing else is left of it
    assert [(each.name, each.called) for each in policies.all()] == [("first", "")]


def test_whoever_shows_a_twin_finds_it_under_every_new_name_but_not_its_copy(policies: Policies) -> None:
    elsewhere, path = Policies(policies.folder.parent), policies.find("first")
    shutil.copy(path, policies.folder / "copy.safetensors")
    elsewhere.all()
    for called in ("Hop: along/2 ü?", "Second", "third / 3", "Fourth"):
        before, path = path, policies.call(path.stem, called)
        assert path != before
        assert elsewhere.renamed(before) == path
    policies.trash(path.stem)
    assert elsewhere.renamed(path) is None


@pytest.mark.parametrize("called", ["", " ", "x" * 81, "a\0b"])
def test_a_twin_is_not_called_nothing_or_too_much(policies: Policies, called: str) -> None:
    with pytest.raises(PolicyError, match="use 1 to 80 characters"):
        policies.call("first", called)


def test_two_twins_are_not_called_the_same(policies: Policies) -> None:
    shutil.copy(policies.find("first"), policies.folder / "second.safetensors")
    second = policies.call("second", "a/b")
    with pytest.raises(PolicyError, match="already taken"):
        policies.call("first", "a/b")
    shutil.copy(second, policies.folder / "third.safetensors")  # as by an import
    assert len({each.title for each in policies.all()}) >= 2
