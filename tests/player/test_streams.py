"""What commands print reaches any stream, or is replaced; nothing of it fails the command."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from recorder import Session
from recorder.library.edits import edit

TITLE = "Ωmega [/b] [red]x :smile: 日本"


@pytest.fixture(scope="module")
def titled(tmp_path_factory: pytest.TempPathFactory, breakout: Session) -> Path:
    """A library whose session has a title of all kinds of characters."""
    library = tmp_path_factory.mktemp("library ü")
    path = library / breakout.path.name
    subprocess.run(["cp", "-r", breakout.path, path], check=True)
    edit(path, title=TITLE)
    return library


def run(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """`command` in a shell, where "twinplay" is the program and "trainer" the one that torchrun starts."""
    script = "".join(
        f'{name}() {{ "{sys.executable}" -m {package} "$@"; }}; '
        for name, package in (("twinplay", "player"), ("trainer", "trainer"))
    )
    script += command
    return subprocess.run(["bash", "-c", script], env={**os.environ, **environment}, capture_output=True)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp037", "utf-16", "utf-8"])
def test_what_an_encoding_lacks_is_replaced(titled: Path, encoding: str) -> None:
    done = run(f"twinplay sessions --library '{titled}' && twinplay edit --help", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode(encoding).replace("\ufeff", "")
    whole = encoding.startswith("utf")
    assert (TITLE if whole else "?mega [/b] [red]x :smile: ??") in said


def test_a_name_that_is_no_text_is_printed_as_it_is(tmp_path: Path) -> None:
    library = os.fsencode(tmp_path) + b"/lib\xff"
    os.mkdir(library)
    done = subprocess.run(
        [os.fsencode(sys.executable), b"-m", b"player", b"sessions", b"--library", library], capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert library in done.stdout


@pytest.mark.parametrize(
    ("streams", "status", "sentence"),
    [
        (">&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        ("2>/dev/full", 0, ""),
        (">/dev/full", 1, "twinplay: standard output: No space left on device"),
    ],
)
@pytest.mark.parametrize("command", ["sessions --json --library", "verify --library", "edit --help --library"])
def test_streams_that_are_closed_or_full(titled: Path, command: str, streams: str, status: int, sentence: str) -> None:
    names = " ".join(path.name for path in titled.glob("*.zarr")) if command.startswith("verify") else ""
    done = run(f"twinplay {command} '{titled}' {names} {streams}")
    lines = [line for line in done.stderr.decode().splitlines() if not line.startswith("verifying ")]
    assert done.returncode == status
    assert [line.split("; ")[0] for line in lines] == ([sentence] if sentence else [])


def test_a_closed_stream_is_not_taken_for_a_file(titled: Path) -> None:
    """A file that is opened as number 1 or 2 would have what is printed in it."""
    name = next(titled.glob("*.zarr")).name
    assert run(f"twinplay edit {name} --library '{titled}' --notes hello >&- 2>&-").returncode == 0
    done = run(f"twinplay verify {name} --library '{titled}'")
    assert done.returncode == 0, done.stdout


# Several terminals, one after the other in one process, which loads everything once: the statuses in each.
_TERMINALS = """
import json, os, sys
from player.cli import main
commands, environments = map(json.loads, sys.argv[1:])
usual = dict(os.environ)
for environment in environments:
    os.environ.clear()
    os.environ.update(usual | environment)
    print("in", environment, [main(command) for command in commands])
"""


def test_terminals_of_any_width(titled: Path) -> None:
    environments = [{"COLUMNS": columns} for columns in ("1", "0", "abc", "-3")]
    environments += [{"TERM": "dumb"}, {"TERM": "no such"}]
    name = next(titled.glob("*.zarr")).name
    commands = [
        [*command, "--library", str(titled)] for command in (["sessions"], ["verify", name], ["edit", "--help"])
    ]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _TERMINALS, json.dumps(commands), json.dumps(environments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 4096):
            said += part
    except OSError:  # how a terminal says that its last program has gone
        pass
    os.close(ours)
    assert process.wait() == 0, said
    assert b"Traceback" not in said
    for environment in environments:
        assert f"in {environment} [0, 0, 0]".encode() in said


def test_a_reader_who_has_left_ends_a_command_as_the_shell_has_it(titled: Path) -> None:
    done = run(f"twinplay sessions --json --library '{titled}' | true; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stderr) in ((141, b""), (0, b""))  # it may have been quicker


def test_the_program_that_torchrun_starts_prints_as_safely() -> None:
    done = run("trainer --help", PYTHONIOENCODING="cp037")
    assert (done.returncode, "Train a policy" in done.stdout.decode("cp037")) == (0, True)
    done = run("trainer --help >/dev/full")
    assert done.returncode == 1
    assert done.stderr == b"twinplay: standard output: No space left on device\n"
    assert run("trainer /no/such --out clone.safetensors >&- 2>&-").returncode == 1
