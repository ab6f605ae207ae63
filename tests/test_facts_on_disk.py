"""Facts are nested in memory and flat on disk: files in `written/` are those of the code before they were nested."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from privgan.config import from_table, inline, keys_of, to_table
from privgan.data.cohort.cohort import read_facts, write_facts
from privgan.dp.spend import PrivacySpend
from privgan.errors import IntegrityError, UsageError
from privgan.files import read_json, write_json
from privgan.gan.networks import Generator, GeneratorConfig, save_generator
from privgan.gan.warm_start.class_balance import ClassBalance
from privgan.images.form import ImageForm
from privgan.run import read_run, write_run
from privgan.synthetic.synthetic_set import read_manifest
from privgan_audits.release.approval import Approval

WRITTEN = Path(__file__).parent / "written"
CHEST = ImageForm(side=64, classes=("normal", "effusion"), modality="CT", window=(-160.0, 240.0))
SPEND = PrivacySpend(epsilon=2.9994, delta=1e-5)


def cohort_again(folder: Path) -> Path:
    write_facts(folder, read_facts(WRITTEN))
    return folder / "cohort.json"


def run_again(folder: Path) -> Path:
    write_run(folder, read_run(WRITTEN))
    return folder / "run.json"


def manifest_again(folder: Path) -> Path:
    manifest, files = read_manifest(WRITTEN)
    write_json(folder / "manifest.json", manifest.to_json(files))
    return folder / "manifest.json"


def config_again(folder: Path) -> Path:
    """A generator of the configuration is built and saved."""
    table = read_json(WRITTEN / "config.json")
    balance = ClassBalance.from_json(table.pop("class_balance"))
    del table["schema_version"]
    (folder / "model").mkdir()
    save_generator(folder, Generator(from_table(GeneratorConfig, table), None), balance)
    return folder / "model" / "config.json"


def approval_again(folder: Path) -> Path:
    """What is signed, but for its envelope."""
    stated = {"predicate": read_json(WRITTEN / "approval.json")}
    write_json(folder / "approval.json", Approval.of_statement(stated).statement()["predicate"])
    return folder / "approval.json"


@pytest.mark.parametrize("again", [cohort_again, run_again, manifest_again, config_again, approval_again])
def test_the_same_facts_are_the_same_bytes(tmp_path: Path, again: Callable[[Path], Path]) -> None:
    """To the byte, but for keys that were added since."""
    path = again(tmp_path)
    older = WRITTEN / path.name
    write_json(tmp_path / "kept", {key: value for key, value in read_json(path).items() if key in read_json(older)})
    assert (tmp_path / "kept").read_bytes() == older.read_bytes()


def test_one_form_and_one_spend_go_from_the_cohort_to_the_set() -> None:
    run, (manifest, _) = read_run(WRITTEN), read_manifest(WRITTEN)
    assert read_facts(WRITTEN).form == run.form == manifest.form == CHEST
    assert run.spend == manifest.spend == SPEND


def without(source: str, folder: Path, *keys: str) -> None:
    table = read_json(WRITTEN / source)
    for key in keys:
        del table[key]
    (folder / source).write_text(json.dumps(table))


def test_older_files_are_grey_and_without_units(tmp_path: Path) -> None:
    """Before there was colour or a window, nothing was said of them."""
    without("cohort.json", tmp_path, "channels", "columns", "officer_key")
    without("run.json", tmp_path, "channels", "window", "warnings")
    without("manifest.json", tmp_path, "channels", "window", "dicom", "class_margin")
    assert read_facts(tmp_path).form == CHEST  # the preset's window is one of units
    assert read_run(tmp_path).form == read_manifest(tmp_path)[0].form == replace(CHEST, window=None)


@pytest.mark.parametrize("name", ["cohort.json", "run.json", "manifest.json"])
@pytest.mark.parametrize(
    "change",
    [
        {"image_size": "64"},
        {"image_size": 0},
        {"channels": 2},
        {"classes": "normal"},
        {"modality": None},
        {"form": {}},
        {"image_size": None, "side": 64},
    ],
)
def test_other_facts_than_there_are_make_another_file(tmp_path: Path, name: str, change: dict[str, Any]) -> None:
    read = {"cohort.json": read_facts, "run.json": read_run, "manifest.json": read_manifest}[name]
    table = read_json(WRITTEN / name)
    (tmp_path / name).write_text(json.dumps(table))
    read(tmp_path)
    (tmp_path / name).write_text(json.dumps({**table, **change}))
    with pytest.raises(IntegrityError, match="fields of a"):
        read(tmp_path)


@pytest.mark.parametrize("change", [{"epsilon": -1.0}, {"delta": 0.0}, {"delta": 1.0}, {"epsilon": "3"}])
def test_no_guarantee_is_read_that_is_none(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / "run.json").write_text(json.dumps({**read_json(WRITTEN / "run.json"), **change}))
    with pytest.raises(IntegrityError):
        read_run(tmp_path)


@dataclass(frozen=True, kw_only=True)
class Oven:
    """A fact."""

    degrees: float = 180.0
    fan: bool = False


@dataclass(frozen=True, kw_only=True)
class Cake:
    """Facts, one of them inlined."""

    name: str
    oven: Oven = field(metadata=inline("degrees", degrees="baked_at"))
    layers: tuple[str, ...] = ()
    size: tuple[float, float] | None = None
    eggs: dict[str, int] = field(default_factory=dict)


def test_a_table_says_all_or_nothing() -> None:
    cake = Cake(name="a", oven=Oven(degrees=200), layers=("b", "c"), size=(1, 2), eggs={"large": 3})
    table = {"name": "a", "baked_at": 200, "layers": ["b", "c"], "size": [1, 2], "eggs": {"large": 3}}
    assert to_table(cake) == table
    assert from_table(Cake, table) == cake
    assert list(to_table(cake, ("eggs", "baked_at"))) == ["eggs", "baked_at", "name", "layers", "size"]
    assert keys_of(Cake) == list(table)
    with pytest.raises(ValueError, match="fan"):
        to_table(replace(cake, oven=Oven(fan=True)))


def test_what_a_table_leaves_out_is_as_before() -> None:
    before = Cake(name="a", oven=Oven(degrees=200, fan=True))
    assert from_table(Cake, {"name": "b"}, before) == replace(before, name="b")
    assert from_table(Cake, {"baked_at": 90}, before).oven == Oven(degrees=90, fan=True)


@pytest.mark.parametrize(
    "table",
    [{"oven": {}}, {"fan": True}, {"degrees": 1.0}, {"size": [1.0]}, {"size": ["a", "b"]}, {"eggs": {"large": "3"}}],
)
def test_a_table_of_another_form_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        from_table(Cake, {"name": "a", "baked_at": 180.0, **table})
