"""The settings of a training: declared once, for the panel, the command line, Python and stored files."""

from __future__ import annotations

import pickle

import pytest

from recorder.errors import UsageError
from recorder.system.records import REQUIRED, fields
from trainer import TrainConfig
from trainer.settings import SETTINGS, choices, listed, parse_settings, settings_for


def test_every_setting_says_what_it_does_and_takes_its_own_default() -> None:
    for each in fields(TrainConfig):
        assert each.help.endswith("."), each.name
        assert each.default is not REQUIRED
        assert each.fits(each.default), each.name
        assert bool(each.extra.get("off")) == each.optional, each.name
    assert all(each.choices or None not in (each.low, each.high) for each in SETTINGS)


def test_the_panel_shows_what_means_something_to_an_environment() -> None:
    names = {env: [each.name for each in settings_for(env)] for env in ("breakout", "hopper")}
    assert {"shift", "mirror"} <= set(names["breakout"]) - set(names["hopper"])
    assert names["hopper"][:4] == ["max_seconds", "max_batches", "network", "batch_size"]
    network = next(each for each in SETTINGS if each.name == "network")
    assert choices(network, "hopper") == ("mlp", "lstm")
    assert network.choices == ("auto", "keypoints", "nature", "article64", "mlp", "lstm")


def test_a_list_of_settings_has_the_defaults_of_an_environment() -> None:
    everything = {name: (default, limits) for name, default, limits, _ in listed()}
    assert everything["batch_size"] == ("128", "whole number from 1 to 4,096")
    assert everything["max_seconds"] == ("none", "number from 0.1 to 10,000,000, or none")
    assert everything["hidden"] == ("[128, 64]", "list of 1 to 8 whole numbers from 1 to 4,096")
    assert everything["precision"] == ("auto", "one of: auto, float32, bfloat16")
    assert set(everything) == {each.name for each in fields(TrainConfig)}
    of_hopper = {name: default for name, default, *_ in listed("hopper", "quick")}
    assert of_hopper["max_batches"] == "6000"
    assert "shift" not in of_hopper


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("cache_bytes=1e9", 10**9),
        ("max_seconds=90", 90.0),
        ("max_batches=none", None),
        ("max_batches=null", None),
        ("history=0", (0,)),
        ("hidden=[64,32]", (64, 32)),
        ("scout=false", False),
        ("network=lstm", "lstm"),
    ],
)
def test_settings_are_written_as_name_and_value(written: str, value: object) -> None:
    assert parse_settings([written]) == {written.partition("=")[0]: value}


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("size=huge", "size is 'huge', but must be a whole number from 36 to 210; it is by default 84"),
        ("size=3", "size is 3, but must lie between 36 and 210; it is by default 84"),
        ("patience=2.5", "patience is 2.5, but must be a whole number from 1 to 1,000; it is by default 12"),
        ("whiten=1", "whiten is 1, but must be true or false; it is by default true"),
        ("seed=none", "seed is None, but must be a whole number from 0 to "),
        ("optimizer=lion", "optimizer 'lion' is unknown; choose one of: adam, sgd; it is by default adam"),
        ("batches=3", "'batches=3' is not a setting; write name=value with one of: max_seconds, max_batches"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(written: str, sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_settings([written])
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    "values",
    [
        {"mirror": 1.5},
        {"mirror": float("nan")},
        {"seed": -1},
        {"history": (1, 2)},
        {"history": ()},
        {"hidden": (0,)},
        {"crop": (90, 30)},
        {"hidden_rows": (5,)},
        {"hidden_columns": (9, 3)},
        {"label_shifts": (6, 0)},
        {"label_windows": (0, 1)},
        {"activation": "gelu"},
    ],
)
def test_python_and_files_are_refused_the_same(values: dict[str, object]) -> None:
    (name,) = values
    with pytest.raises(UsageError, match=f"^{name} "):
        TrainConfig(**values)
    stored = TrainConfig().to_json() | {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}
    with pytest.raises(UsageError, match=name):
        TrainConfig.from_json(stored)


def test_a_configuration_is_stored_whole_and_reaches_a_worker() -> None:
    config = TrainConfig.for_env("breakout", preset="quick", seed=5, threads=2)
    assert TrainConfig.from_json(config.to_json()) == config
    assert config.to_json()["history"] == [0, 2, 4, 8, 16, 24]
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301
    assert config.with_changes(seed=6).seed == 6
    assert hash(config) != hash(config.with_changes(seed=6))
    with pytest.raises(AttributeError):
        config.seed = 7  # type: ignore[misc]


def test_files_of_other_versions_have_more_and_fewer_settings() -> None:
    assert TrainConfig.from_json({"network": "mlp", "brand_new": 5}) == TrainConfig(network="mlp")
    earlier = {"network": "mlp", "patience": 2.5, "cache_bytes": 1e9}  # --set took these
    assert TrainConfig.from_json(earlier) == TrainConfig(network="mlp", patience=2, cache_bytes=10**9)
    for damaged in ({"network": "mlp", "size": "x"}, {"network": 5}, {"network": "mlp", "seed": 2**70}):
        with pytest.raises(UsageError, match="the settings of the training run are damaged"):
            TrainConfig.from_json(damaged)
    for stranger in (None, [], {"size": 84}):
        with pytest.raises(UsageError, match="not the settings of a training run"):
            TrainConfig.from_json(stranger)
