"""Verbs on phantoms in Chinese: what they say, how far they are, what comes next. Programs still read English."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from privgan.data.phantoms.phantoms import write_phantoms
from privgan.language import speaking
from privgan_audits.policy import write_policy
from tests.cli.test_help import VERBS

Privgan = Callable[..., subprocess.CompletedProcess[str]]

SAID = ("--language", "zh")
SPELLED = re.compile(r"`[^`]*`|(?<![\w-])--?[a-z][a-z-]*|privgan\[[a-z-]+\]|\S*[/.]\S*|[0-9a-f]{32}|传输语法：.*")
CODES = {  # classes of the phantoms, presets, packages, tools: names that stand for themselves
    *("clear", "opacity", "picture", "small-cohort", "balanced", "e-", "epsilon"),
    *("torch", "dp-accounting", "pydicom", "numpy", "cryptography", "randomgen", "safetensors"),
    *("dciodvfy", "openssl", "linux", "Python", "ChaCha", "privgan", "NIfTI", "NVFlare"),
}


def english(text: str) -> set[str]:
    """Words in small Latin letters that stand for themselves, but for the command that comes next."""
    said = re.sub(r"^下一步：privgan .*$", "", text, flags=re.MULTILINE)
    words = re.findall("[A-Za-z][A-Za-z-]+", SPELLED.sub(" ", said))
    return {word for word in words if not word.isupper()} - CODES - set(VERBS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 60 phantoms, and an officer's policy that speaks Chinese."""
    folder = tmp_path_factory.mktemp("chinese")
    (folder / "dicom").mkdir()
    write_phantoms(folder / "dicom", patients=60)
    write_policy(folder / "policy.toml", preset="default", officer_key="", language="zh")
    return folder


@pytest.fixture(scope="module")
def chain(privgan: Privgan, place: Path, fast_config: Path) -> dict[str, str]:
    """What each verb says on both streams, told every moment; `prepare` and `plan` by the policy's language alone."""
    source, labels = place / "dicom", ("--csv", place / "dicom/labels.csv")
    policy = ("--policy", place / "policy.toml")
    cohort, run = place / "cohort", place / "run"
    making = ("--size", 28, "--classes", "clear,opacity", "--site-anchor", place / "anchor", "--accept-low-power")
    training = ("--epsilon", 4, "--config", fast_config, "--accept-noise", "--tell-every", 0.01)
    lines: dict[str, tuple[object, ...]] = {
        "doctor": ("doctor", *SAID),
        "scan": ("scan", source, *labels, "--tell-every", 0.01, *SAID),
        "prepare": ("prepare", source, cohort, *labels, *making, *policy),
        "plan": ("plan", "--patients", 2000, "--batch", 64, "--steps", 50, "--epsilon", 3, *policy),
        "train": ("train", cohort, run, *training, "--log", place / "log.txt", *SAID),
        "generate": ("generate", run, place / "synthetic", "--count", 40, "--tell-every", 0.01, *SAID),
        "budget": ("budget", cohort, *SAID),
        "asked": ("budget", cohort, "--patient", "QZX-00007-PAT", *SAID),
    }
    done = {name: privgan(*words) for name, words in lines.items()}
    return {name: each.stdout + each.stderr for name, each in done.items()}


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        ("doctor", "噪声与抽样：ChaCha20，由操作系统提供密钥"),
        ("scan", "60 名患者的"),
        ("prepare", "名留出用于审计"),
        ("plan", "`privgan train` 将从预设"),
        ("train", "在 "),
        ("generate", "NOT RELEASED（未发布）：在其他任何人看到之前请先审计"),
        ("budget", "已消耗：ε = 4"),
        ("asked", "本队列不知晓该患者"),
    ],
)
def test_a_verb_says_all_of_it_in_chinese(chain: dict[str, str], verb: str, told: str) -> None:
    assert told in chain[verb]
    assert english(chain[verb]) == set()
    assert ("下一步：privgan " in chain[verb]) == (verb != "asked")


def test_whoever_waits_is_told_in_chinese_on_stderr_and_in_the_log(chain: dict[str, str], place: Path) -> None:
    assert re.search(r"privgan: 正在加载程序库，已用 \d+ 秒", chain["scan"])
    log = (place / "log.txt").read_text()
    assert "privgan train 开始" in log
    assert log.endswith("结束，退出码 0\n")
    assert re.search(r"训练 \d/6（\d+ %），已记账 ε = 4，已用 \d+ 秒", log)
    assert english(re.sub(r"^\S+Z", "", log, flags=re.MULTILINE)) == set()


def records(place: Path) -> Iterator[Path]:
    for folder in ("cohort", "run", "anchor"):
        yield from (path for path in (place / folder).rglob("*") if path.suffix in (".json", ".jsonl", ".toml"))


def test_no_record_speaks_chinese(chain: dict[str, str], place: Path) -> None:
    assert chain
    found = [*records(place)]
    assert len(found) > 5
    for path in found:
        assert path.read_text("utf-8").isascii() or not re.search("[一-龥]", path.read_text("utf-8")), path.name


def test_programs_read_the_same_in_every_language(privgan: Privgan, chain: dict[str, str], place: Path) -> None:
    assert chain
    plan = ("plan", "--patients", 50, "--batch", 10, "--steps", 50, "--epsilon", 3, "--accept-low-power")
    for words in (("budget", place / "cohort"), plan, ("scan", place / "dicom")):
        said = [privgan(*words, "--json", "--language", language).stdout for language in ("en", "zh")]
        assert said[0] == said[1]
        assert json.loads(said[0])["schema_version"] == 1


def test_what_a_run_noticed_is_told_on() -> None:
    """From its record, which is English."""
    from privgan.gan.training.monitor import _TEXTS, Alarm
    from privgan.language import retold

    for kind, text in _TEXTS.items():
        noticed = str(Alarm(kind=kind, step=25, text=text.format(value=_found(kind))))
        with speaking("zh"):
            assert retold(noticed).startswith("第 25 步：")
            assert english(retold(noticed)) == set()


def _found(kind: str) -> str:
    return "'clear'" if kind == "collapse" else "60%"
