"""Errors as the window says them."""

from __future__ import annotations

import pytest

from recorder.ui.kit.words import window_words


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        (
            "/home/ada/.local/share/twinplay/library/2026-11-21T10-14-03-breakout.zarr is not a readable session: its "
            "zarr.json is damaged; choose a .zarr folder from a library",
            "“2026-11-21T10-14-03-breakout” is not a readable session: its zarr.json is damaged; choose a .zarr folder "
            "from a library",
        ),
        (
            "/home/ada/My games/new/My twin.safetensors is a safetensors file, but not a policy of Twinplay",
            "“My twin” is a safetensors file, but not a policy of Twinplay",
        ),
        ("/x/library has no policy named 'a'; `twinplay policies` lists them", "“library” has no policy named 'a'"),
        ("the run “a” failed; resume with: twinplay train --resume a", "the run “a” failed"),
        ("/x/a.zarr does not exist; `twinplay sessions` lists the sessions that do", "“a” does not exist"),
        ("a run can be resumed (see: twinplay runs) at any time", "a run can be resumed at any time"),
        ("/a/film.mp4 cannot be written: No space left", "“film.mp4” cannot be written: No space left"),
        (r"C:\Users\ada\film.mp4 cannot be written", "“film.mp4” cannot be written"),
        ("tick 7 (game 2, second 0.12): reward is 1, not 0", "tick 7 (game 2, second 0.12): reward is 1, not 0"),
        (
            "s3://team/recordings cannot be reached; try again",
            "s3://team/recordings cannot be reached; try again",
        ),
        ("3/4 of it is excluded", "3/4 of it is excluded"),
        ("", ""),
    ],
)
def test_files_go_by_their_names_and_commands_are_left_out(sentence: str, said: str) -> None:
    assert window_words(sentence) == said
