"""A team's library in a store that speaks S3's protocol: pushed to, listed, verified and trained from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from recorder import Library, Session, record, verify
from recorder.agents.experts import scripted
from recorder.errors import LibraryError, RemoteError, TwinplayError
from recorder.library.copying import copy_session
from recorder.store.places import Url
from recorder.store.remote import RemoteFolder
from tests.s3 import BUCKET, S3, forget, serving
from trainer import TrainConfig, fit

LIBRARY = f"s3://{BUCKET}/recordings"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with serving() as store:
        yield store


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Eight seconds of scripted Breakout."""
    return record("breakout", scripted("breakout", seed=1), library=tmp_path_factory.mktemp("take"), seconds=8, seed=1)


@pytest.fixture(scope="module")
def pushed(s3: S3, take: Session) -> str:
    """Where `take` lies in the store, after a first push that was refused in the middle."""
    puts = 0

    def refuse(method: str, path: str) -> bool:
        nonlocal puts
        puts += method == "PUT"
        return puts > 20

    s3.deny = refuse
    with pytest.raises(RemoteError, match=r"was denied: Access Denied; check the credentials"):
        copy_session(take.path, LIBRARY)
    s3.deny = lambda method, path: False
    assert s3.objects("recordings/")  # how many of those under way arrived is up to chance
    assert Library(LIBRARY).sessions() == []
    with pytest.raises(TwinplayError, match=r"it has no zarr\.json"):
        Session.open(f"{LIBRARY}/{take.path.name}")
    return str(copy_session(take.path, LIBRARY))


def test_a_push_that_was_interrupted_is_completed_by_the_next(s3: S3, take: Session, pushed: str) -> None:
    objects = s3.objects(f"recordings/{take.path.name}/")
    start = len(f"recordings/{take.path.name}/")
    assert {key[start:]: content for key, content in objects.items()} == {
        path.relative_to(take.path).as_posix(): path.read_bytes() for path in take.path.rglob("*") if path.is_file()
    }


def test_the_library_lists_it_with_two_requests(s3: S3, take: Session, pushed: str) -> None:
    s3.requests.clear()
    (row,) = Library(LIBRARY).sessions()
    assert (row.name, row.state, row.digest, str(row.place)) == (take.name, "complete", take.digest(), pushed)
    assert [method for method, _ in s3.requests] == ["GET", "GET"]


def test_it_verifies_from_there_and_reads_every_chunk_once_to_play_and_once_to_hash(s3: S3, pushed: str) -> None:
    s3.requests.clear()
    certificate = verify(Session.open(pushed))
    assert certificate.ok, certificate.difference
    paths = [path for method, path in s3.requests if "/c." in path]
    assert max(map(paths.count, paths)) == 2
    assert len([path for path in paths if "/screen/c." in path]) == 2 * 8


def test_training_from_there_gives_the_weights_that_the_local_copy_gives(
    s3: S3, take: Session, pushed: str, tmp_path: Path
) -> None:
    config = TrainConfig.for_env("breakout", max_batches=4, checks=0, play_games=0, threads=1)
    policies = []
    for number, source in enumerate((take.path, pushed)):
        s3.requests.clear()
        policies.append(tmp_path / f"{number}.safetensors")
        for _ in fit([source], config, out=policies[-1]):
            pass
    chunks = [path for _, path in s3.requests if "/screen/c." in path]
    assert len(chunks) == len(set(chunks)) == 8
    local, remote = map(load_file, policies)
    assert local.keys() == remote.keys()
    assert all((local[name] == remote[name]).all() for name in local)


def test_a_missing_bucket_is_told(s3: S3, take: Session) -> None:
    for action in (
        lambda: Library("s3://nobody/recordings").sessions(),
        lambda: Session.open("s3://nobody/x.zarr"),
        lambda: copy_session(take.path, "s3://nobody/recordings"),
        lambda: RemoteFolder(Url("s3://nobody/x.zarr")).files(),
    ):
        with pytest.raises(RemoteError, match=r"^s3://nobody/.* does not exist: The specified bucket does not exist"):
            action()


def test_keys_that_the_store_does_not_know_are_told(s3: S3, pushed: str) -> None:
    s3.require_known_keys(True)
    try:
        for action in (lambda: Library(LIBRARY).sessions(), lambda: Session.open(pushed)):
            with pytest.raises(RemoteError, match=r"was denied: The AWS Access Key Id .*; check the credentials"):
                action()
    finally:
        s3.require_known_keys(False)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "cannot be reached: Could not connect .*; check the network"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "was denied: .*credentials"),
    ],
)
def test_no_network_and_no_keys_are_told(
    s3: S3, pushed: str, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], sentence: str
) -> None:
    for name, value in change.items():
        if value:
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.delenv(name)
    forget()
    try:
        with pytest.raises(LibraryError, match=sentence) as caught:
            Library(LIBRARY).sessions()
        assert "\n" not in str(caught.value)
    finally:
        monkeypatch.undo()
        forget()


def test_an_empty_and_an_endless_zarr_json_are_listed_as_unreadable(s3: S3) -> None:
    import fsspec

    strange = f"s3://{BUCKET}/strange"
    fs = fsspec.filesystem("s3")
    fs.pipe({f"{strange}/empty.zarr/zarr.json": b"", f"{strange}/endless.zarr/zarr.json": b" " * (5 << 20)})
    s3.requests.clear()
    rows = Library(strange).sessions()
    assert [(row.name, row.state) for row in rows] == [("endless", "unreadable"), ("empty", "unreadable")]
