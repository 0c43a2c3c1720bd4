from __future__ import annotations

from recorder.library.names import default_name

ADA, BO = {"kind": "person", "name": "Ada"}, {"kind": "person", "name": "Bo"}


def test_a_name_by_default_says_who_how_well_and_when() -> None:
    noon = "2026-11-25T12:00:00+00:00"
    assert default_name([ADA], 48.0, noon) == "Ada, 48 points, Nov 25"
    assert default_name([ADA, ADA], 1.0, noon) == "Ada, 1 point, Nov 25"
    assert default_name([BO, ADA], None, noon) == "Bo and others, Nov 25"
    assert default_name([{"kind": "person", "name": ""}], 1234.5, "?") == "Person, 1,234 points"
    assert default_name([{"kind": "scripted", "name": "BreakoutPlayer"}], 7.0, noon) == "Scripted, 7 points, Nov 25"
    assert default_name([{"kind": "scripted", "name": "x", "title": "Sample"}], 7.0, noon) == "Sample, 7 points, Nov 25"
