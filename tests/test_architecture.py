"""The rules that keep the structure: who may import whom, and one door per library."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from recorder import get_spec
from recorder.envs.atari_games import atari_games
from recorder.envs.registry import described_names

ROOT = Path(__file__).parents[1]
PACKAGES = ("recorder", "trainer", "player")
QT_ROOMS = ("recorder/ui/", "trainer/ui/", "player/ui/", "player/app.py")
DOORS = {
    "PySide6": QT_ROOMS,
    "pyqtgraph": QT_ROOMS,
    "zarr": ("recorder/store/zarr_store/",),
    "numcodecs": ("recorder/store/zarr_store/chunks.py",),
    "google_crc32c": ("recorder/store/zarr_store/chunks.py", "trainer/progress/tensorboard.py"),
    "torch": ("trainer/",),
    "safetensors": ("trainer/",),
    "fsspec": ("recorder/store/remote.py",),
    "s3fs": (),
    "gymnasium": ("recorder/envs/",),
    "ale_py": ("recorder/envs/",),
    "mujoco": ("recorder/envs/", "recorder/agents/experts/hopper_search.py"),
    "pygame": ("recorder/agents/gamepad.py", "recorder/play/sound.py"),
    "multiprocessing": ("recorder/system/jobs/",),
    "concurrent": (),
    "threading": ("recorder/system/jobs/",),
    "subprocess": ("recorder/system/jobs/",),
    "av": ("player/film/mp4.py",),
    "matplotlib": ("player/report/plots.py",),
    "rich": ("player/cli/",),
    "PIL": ("player/film/", "player/report/"),
    "cv2": (
        *("recorder/envs/", "recorder/store/zarr_store/", "recorder/library/stored_pictures.py"),
        *("trainer/policy/", "player/film/", "player/watch/sides.py"),
    ),
    "filelock": ("recorder/store/", "recorder/library/edits.py", "trainer/data/temporary.py", "trainer/runs/"),
    "platformdirs": ("recorder/",),
    "pickle": (),
}


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@cache
def imports(path: Path) -> set[str]:
    """Full dotted names that a module imports anywhere, type-checking blocks excepted."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("library", DOORS)
def test_each_library_has_its_door(library: str) -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if any(name.split(".")[0] == library for name in imports(path))
    }
    strangers = {user for user in users if not user.startswith(DOORS[library] or ("\0",))}
    assert not strangers


def test_the_architecture_page_names_every_module() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for path in modules():
        _, *folders = path.relative_to(ROOT).parts[:-1]
        if len(folders) == 1 and path.stem != "__init__":
            lines = [line for line in page.splitlines() if line.startswith(f"| `{folders[0]}/`")]
            assert any(f"`{path.stem}`" in line for line in lines), path


def test_core_never_imports_a_view() -> None:
    for path in modules():
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(QT_ROOMS):
            continue
        assert not [used for used in imports(path) if ".ui" in used], name


KNOWING = ("recorder/agents/experts/", "trainer/studies/", "player/report/demo.py", "player/support/sample.py")
EXAMPLES = (  # names of studies, and examples in what --help and errors of the command line print
    *("player/cli/argument_types.py", "player/cli/session_options.py", "player/cli/clone_options.py"),
    "trainer/__main__.py",
)


# Things of a single game or simulator. `et` is in "Mnih et al.", and twinplay drives calls its columns torques.
THINGS = {"paddle", "ball", "brick", "bricks", "torque", "torques"}
ORDINARY = {"et", "torques"}


def known_of_environments(path: Path, words: set[str], sizes: set[tuple[int, ...]]) -> Iterator[int]:
    """The lines of a module that name an environment, a size of its screens, or one of its actions by a number."""
    spoken = re.compile(rf"(?<![a-z0-9])({'|'.join(map(re.escape, sorted(words)))})(?![a-z0-9])")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in told and spoken.search(text.lower()):
                yield node.lineno
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                parts = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_")
                if not words.isdisjoint(parts):
                    yield node.lineno
            case ast.Tuple(elts=[ast.Constant(value=int()), *_] as items):
                if tuple(item.value for item in items if isinstance(item, ast.Constant)) in sizes:
                    yield node.lineno
        if isinstance(node, ast.Compare | ast.Subscript):
            named, *others = (
                (node.left, *node.comparators) if isinstance(node, ast.Compare) else (node.value, node.slice)
            )
            numbers = [each.value for each in others if isinstance(each, ast.Constant)]
            if any(type(number) is int and number for number in numbers) and re.fullmatch(
                r"(.*[._])?(actions?|action_names|control_names)", ast.unparse(named)
            ):
                yield node.lineno


def test_nobody_knows_an_environment_by_name_or_its_screens_size_or_an_actions_number(
    tmp_path: Path,
) -> None:
    shipped = [get_spec(name) for name in described_names()]
    words = {word.lower() for spec in shipped for word in (spec.name, spec.title)} | set(atari_games()) | THINGS
    words -= ORDINARY
    shapes = {spec.observation_shape for spec in shipped if spec.sees_screen}
    sizes = {size for high, wide, *_ in shapes for size in ((high, wide), (wide, high), (high, wide, 3))}
    for path in modules():
        where = path.relative_to(ROOT).as_posix()
        if not where.startswith((*KNOWING, *EXAMPLES)):
            assert list(known_of_environments(path, words, sizes)) == [], where
    module = tmp_path / "module.py"
    numbers = ("if action == 3: pass", "names = spec.action_names[2]", "empty = np.zeros((210, 160))")
    for knowing in (
        *numbers,
        'help = "Serve the ball"',
        "paddle_rows = (189, 196)",
        "from_breakout(session)",
        'get_spec("pong")',
    ):
        module.write_text(knowing)
        assert list(known_of_environments(module, words, sizes)) == [1]


def test_nothing_evaluates_text() -> None:
    names = ("eval", "exec", "__import__")
    for path in modules():
        text = path.read_text(encoding="utf-8")
        if any(name in text for name in names):  # parsing all takes a second
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    assert node.func.id not in names, path


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        (
            "import recorder, recorder.store.session_writer, recorder.agents.experts",
            ("torch", "PySide6", "matplotlib", "av"),
        ),
        ("import recorder, recorder.library.copying", ("recorder.store.remote", "s3fs", "aiobotocore")),
        ("import trainer, trainer.config, trainer.progress.records, trainer.policy.preprocess", ("torch", "PySide6")),
        ("import trainer.runs.presenter, trainer.runs.runs, trainer.runs.policy_library", ("torch", "PySide6")),
        ("import trainer.evaluation.evaluate, player.watch.background", ("torch", "PySide6")),
        ("import player.cli", ("torch", "PySide6", "gymnasium", "zarr", "matplotlib", "av", "msgspec")),
        ("import player.app, player.ui.window", ("torch", "pyqtgraph")),
        (
            "import torch, trainer.learn.fit; from recorder import get_spec; from trainer import TrainConfig; "
            "from trainer.learn.learner import Learner; from trainer.learn.operations import Operations; "
            "config, spec = TrainConfig.for_env('breakout'), get_spec('breakout'); "
            "learner = Learner(config, spec, torch.device('cpu')); Operations.of(learner.average, config); "
            "sum(weight.sum() for weight in learner.net.parameters()).backward(); learner.optimizer.step(0.1)",
            ("torch._dynamo", "sympy"),
        ),
    ],
)
def test_imports_stay_light(statement: str, unwanted: tuple[str, ...]) -> None:
    code = f"import sys; {statement}; print([m for m in {unwanted!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
