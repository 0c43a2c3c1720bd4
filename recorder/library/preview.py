"""The preview of a session: its facts, any moment of it, and a thumbnail.

A PreviewWorker runs in a separate process: a picture of Hopper needs a simulator and a renderer, and reading the arrays
of a long session would block the window. Problems with a session are returned as a sentence.

    library/.thumbnails/<session>-<digest>.png    thumbnails, made again if they are missing
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recorder.envs.game import Game
from recorder.errors import SessionError, TwinplayError
from recorder.library.findings import Finding
from recorder.library.lineage import names_of_parts
from recorder.library.replay import show_tick
from recorder.library.review import review
from recorder.library.stored_pictures import read_picture, shrink, write_picture
from recorder.library.together import together_text
from recorder.play.latency import Latency
from recorder.play.timing import Timing
from recorder.store.episode_table import RecordedGame
from recorder.store.locks import is_being_written
from recorder.store.session import Session
from recorder.system.trash import FOLDER

Picture = npt.NDArray[np.uint8]
THUMBNAILS = ".thumbnails"
THUMB_WIDTH, THUMB_HEIGHT = 112, 84  # twice what is drawn, for screens of high density
_THUMB = (THUMB_WIDTH, THUMB_HEIGHT)


@dataclass(frozen=True)
class Details:
    """All about one session. `shares` are (action, share of the ticks), or (action, mean size) if they are continuous;
    `together` says what two players did.

    `pace` tells a frame skip, and whether the game waited for the player; empty where neither is so. `going_on`: it is
    being recorded, so its last game is not over. `problem` says why the session cannot be shown; `warning` what is
    wrong with its edits.
    """

    path: Path
    name: str
    title: str = ""
    notes: str = ""
    tags: tuple[str, ...] = ()
    digest: str = ""
    env_title: str = ""
    discrete: bool = True
    rate_hz: float = 60.0
    pace: str = ""
    ticks: int = 0
    games: tuple[RecordedGame, ...] = ()
    going_on: bool = False
    made_of: tuple[str, ...] = ()
    spans: tuple[range, ...] = ()
    timing: Timing | None = None
    latency: Latency | None = None
    shares: tuple[tuple[str, float], ...] = ()
    together: str = ""
    problem: str = ""
    warning: str = ""

    def ending(self, game: RecordedGame) -> str:
        """How a game ended, or that it is going on."""
        return "going on" if self.going_on and game.outcome == "interrupted" else game.outcome


@dataclass(frozen=True)
class Moment:
    """The picture of one tick, uint8 RGB (height, width, 3), or why there is none; see EnvSpec for `pixel_aspect`."""

    path: Path
    tick: int
    picture: Picture | None
    problem: str = ""
    pixel_aspect: float = 0.0


@dataclass(frozen=True)
class Review:
    """What was found in a session."""

    path: Path
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Thumbnail:
    """A small picture, uint8 RGB (THUMB_HEIGHT, THUMB_WIDTH, 3); None if there is nothing to see."""

    path: Path
    picture: Picture | None


class PreviewWorker:
    """See the module's docstring. Keeps the last requested session open."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._asked = ""  # the path that it was asked for by, which may lead through a link
        self._stage: Game | None = None

    def details(self, path: str) -> Details:
        """The current details of a session."""
        self._session = None
        try:
            return replace(read_details(self._open(path)), path=Path(path))
        except TwinplayError as error:
            return Details(Path(path), Path(path).name.removesuffix(".zarr"), problem=str(error))

    def moment(self, path: str, tick: int) -> Moment:
        """The picture of a tick."""
        try:
            session = self._open(path)
            picture = self._draw(session, min(max(tick, 0), len(session) - 1))
            return Moment(Path(path), tick, picture, pixel_aspect=session.spec.pixel_aspect)
        except TwinplayError as error:
            return Moment(Path(path), tick, None, str(error))

    def review(self, path: str) -> Review:
        """What in a session is worth a look; nothing in one that cannot be read."""
        try:
            return Review(Path(path), review(self._open(path)))
        except TwinplayError:
            return Review(Path(path))

    def thumbnail(self, path: str) -> Thumbnail:
        """A thumbnail of a typical moment, from the library's stored thumbnails or newly made."""
        where = Path(path)
        try:
            session = self._session if self._session and self._asked == path else Session.open(where)
            file = _thumbnail_file(session)
            picture = read_picture(file, _THUMB) if file is not None else None
            if picture is None:
                picture = shrink(self._draw(session, telling_tick(session)), session.spec.pixel_aspect, _THUMB)
                if file is not None:
                    write_picture(file, picture)
            return Thumbnail(where, picture)
        except TwinplayError:
            return Thumbnail(where, None)

    def close(self) -> None:
        """Release the renderer."""
        if self._stage is not None:
            self._stage.close()
        self._stage = None

    def _open(self, path: str) -> Session:
        if self._session is None or self._asked != path:
            self._session, self._asked = Session.open(path), path
        return self._session

    def _draw(self, session: Session, tick: int) -> Picture:
        if not len(session):
            raise SessionError("Nothing was played in this session.")
        if session.spec.sees_screen:
            return session.frames[tick]
        if self._stage is None or self._stage.spec.name != session.spec.name:
            self.close()
            self._stage = Game(session.spec, render=True)
        show_tick(self._stage, session, tick)
        return self._stage.picture()


def read_details(session: Session) -> Details:
    """The facts of an open session. Raises SessionError if it cannot be read."""
    warning = ""
    try:
        spans = session.excluded_spans
    except SessionError as error:
        spans, warning = (), str(error)
    names = session.spec.action_names
    ticks = max(1, len(session))
    if session.spec.discrete:
        counts = np.bincount(session.actions, minlength=len(names))[: len(names)]
        shares = tuple(zip(names, (counts / ticks).tolist(), strict=True))
    else:
        sizes = np.abs(session.actions).mean(axis=0) if len(session) else np.zeros(len(names))
        shares = tuple(zip(names, np.nan_to_num(sizes).tolist(), strict=True))
    return Details(
        path=session.path,
        name=session.name,
        title=session.title,
        notes=session.notes,
        tags=session.tags,
        digest=str(session.attributes.get("digest", "")),
        env_title=session.spec.title,
        discrete=session.spec.discrete,
        rate_hz=session.spec.rate_hz,
        pace=_pace(session),
        ticks=len(session),
        games=tuple(session.recorded_games),
        going_on=not session.complete and is_being_written(session.path),
        made_of=names_of_parts(session),
        spans=spans,
        timing=session.timing,
        latency=session.latency,
        shares=shares,
        together=together_text(session),
        warning=warning,
    )


def _pace(session: Session) -> str:
    frames = session.spec.frame_skip
    skipping = f"frame skip {frames}" if frames is not None and frames > 1 else ""
    return " · ".join(filter(None, (skipping, "step by step" if session.attributes.get("steps_hz") else "")))


def telling_tick(session: Session) -> int:
    """A tick that shows what a session is like: the last point of its best game, or the middle if all of it earns."""
    best = max(session.recorded_games, key=lambda game: game.score, default=None)
    if best is None:
        return 0
    ticks = best.line_ticks
    points = np.flatnonzero(session.rewards[ticks])
    return int(ticks[points[-1] if 0 < len(points) <= best.ticks // 2 else best.ticks // 2])


def _thumbnail_file(session: Session) -> Path | None:
    """The file of a finished session's thumbnail; others have none, because they would change."""
    digest = session.attributes.get("digest")
    if not session.complete or not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        return None
    return session.path.parent / THUMBNAILS / f"{session.name}-{digest[:12]}.png"


def prune_thumbnails(library: Path) -> None:
    """Remove the pictures of sessions that are neither in the library nor in its trash."""
    with contextlib.suppress(OSError):
        folders = [folder for folder in (library, library / FOLDER) if folder.is_dir()]
        kept = {path.name.removesuffix(".zarr") for folder in folders for path in folder.iterdir()}
        for file in (library / THUMBNAILS).iterdir():
            name, _, digest = file.name.rpartition("-")
            if name and name not in kept and digest.endswith(".png"):
                file.unlink()
