"""The verbs in another language: by the policy or by what is typed, for people alone, and never in a record."""

import dataclasses
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from privgan.errors import UsageError
from privgan.language import speaking
from privgan.run import PriorNamed
from privgan.synthetic.dataset_card import dataset_card
from privgan.synthetic.synthetic_set import open_synthetic_set
from privgan_audits.policy import Policy, write_policy
from privgan_audits.release.recipient.guide import guide_text
from privgan_cli.main import run
from tests.audits.releasing import Gate, make_gate
from tests.synthetic.making import CLASSES, make_set

CHINESE = Policy(language="zh")
NAMES = {
    "privgan",
    "README",
    "VERIFY",
    "md",
    "PASS",
    "SHA",
    "sha",
    "sum",
    "NumPy",
    "MLCommons",
    "Croissant",
    "Ada",
    "Byron",
    "Dr",
}
PRIOR: dict[str, Any] = {"source": "Public Archive", "licence": "CC BY", "images": 10, "sha256": "a" * 64}


def latin(text: str) -> set[str]:
    """Words in Latin letters."""
    return set(re.findall("[A-Za-z]{2,}", re.sub(r"\b[0-9a-f]{8,}\b", "", text)))


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """Audited under a policy that speaks Chinese."""
    made = make_gate(tmp_path_factory.mktemp("gate"), officer="officer")
    made.audit(lambda record: record.update(policy=CHINESE.to_json()))
    return made


def said(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> str:
    """What a verb says on both streams."""
    assert run([str(word) for word in words]) == code
    shown = capsys.readouterr()
    return shown.out + shown.err


def test_from_the_approval_to_the_recipient(gate: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    root, report, bundle = gate.root, gate.root / "report", gate.root / "bundle"
    until = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    grant = ("--name", "Dr. Ada Byron", "--purpose", "教学", "--recipient", "某大学", "--reason", "人数少")
    signing = ("approve", report, "--key", root / "officer.key", "--cohort", root / "cohort", "--until", until)
    told = said(capsys, *signing, *grant, "--yes")
    for words in (
        "您即将签名",
        "判定结论 PASS（通过）",
        "中等保证",
        "例外：使用了 --accept-delta 选项",
        f"有效至 {until}",
    ):
        assert words in told
    assert "批准人" in (report / "audit.html").read_text()
    case = ("--cohort", root / "cohort", "--report", report, "--run", root / "synthetic-run")
    told = said(capsys, "release", root / "synthetic", *case, "--to", bundle, "--key", root / "site.key")
    assert "已发布到" in told
    assert '<html lang="zh-Hans">' in (bundle / "report/audit-public.html").read_text()
    guide = (bundle / "VERIFY.md").read_text()
    assert "如何核验本发布包" in guide
    assert "判定结论 PASS（通过），中等保证" in guide
    readme = (bundle / "README.md").read_text().partition("\n---\n")[2]
    assert "**判定结论 PASS（通过），中等保证。**" in readme
    own = re.sub(r"`[^`]*`|```.*?```|\([^)]*\)", "", readme, flags=re.DOTALL)
    assert latin(own) - NAMES == {
        "Chests",
        "for",
        "teaching",
        "Anytown",
        "Hospital",
        "data",
        "office",
        "accept",
        "delta",
    }
    assert json.loads((bundle / "croissant.json").read_text())["description"].endswith(
        "Verdict PASS, moderate promise."
    )
    assert (bundle / "dataset/README.md").read_text().count("Synthetic images") > 1  # the set's own language
    checking = ("verify", bundle, "--public-key", root / "site.pub")
    told = said(capsys, *checking)
    for words in ("完整无误", "PASS（通过），中等保证（差分隐私）", "由 Dr. Ada Byron 批准", "用途：教学"):
        assert words in told
    assert "intact" in said(capsys, *checking, "--language", "en")
    programs = [said(capsys, *checking, "--json", *more) for more in ((), ("--language=en",))]
    assert programs[0] == programs[1]
    assert json.loads(programs[0])["verdict"] == "PASS"


def test_what_is_typed_goes_before_the_policy(gate: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    report = gate.root / "report"
    record = (report / "audit.json").read_bytes()
    for words, language, told in (
        ((), "zh-Hans", "已重新绘制"),
        (("--language", "en"), "en", "drawn again"),
        (("--language=zh",), "zh-Hans", "已重新绘制"),
    ):
        assert told in said(capsys, *words, "report", report)
        for page in ("audit.html", "audit-public.html"):
            assert f'<html lang="{language}">' in (report / page).read_text()
    assert (report / "audit.json").read_bytes() == record


def test_a_refusal_is_in_the_policys_language_for_people_alone(
    gate: Gate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nobody chose another; programs read English, and the log what stderr says."""
    until = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    signing = ("approve", gate.root / "report", "--key", gate.root / "officer.key", "--until", until, "--force")
    words = (*signing, "--cohort", gate.root / "cohort", "--name", "A", "--purpose", "b", "--recipient", "c")
    unconfirmed = (*words, "--reason", "d", "--log", tmp_path / "log")
    assert "应有可供确认的终端，或使用 --yes" in said(capsys, *unconfirmed, code=2)
    assert "应有可供确认的终端" in (tmp_path / "log").read_text("utf-8")
    assert "Expected a terminal to confirm on" in said(capsys, *unconfirmed, "--language", "en", code=2)
    assert run([*map(str, unconfirmed), "--json"]) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"]["message"].startswith("Expected a terminal to confirm on")
    assert "应有可供确认的终端" in shown.err


def test_a_wrong_word_is_told_in_the_language_that_stands_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--tell-every 之后应为秒数" in said(capsys, "doctor", "--tell-every", "x", "--language", "zh", code=2)
    assert "没有此选项：--frm" in said(capsys, "--language=zh", "generate", "run", "new", "--frm", "3", code=2)
    assert "有多余的参数" in said(capsys, "budget", "a", "b", "--language=zh", code=2)
    assert "选项 '--count' 需要一个值" in said(capsys, "generate", "a", "b", "--language=zh", "--count", code=2)


def test_a_language_that_is_none_is_refused(gate: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("--language", "xx"), ("--language=",), ("--language",)):
        assert "among en, zh" in said(capsys, "report", gate.root / "report", *words, code=2)
    assert "drawn again" in said(capsys, "report", gate.root / "report", "--language", "en")


def test_a_key_is_made_with_a_policy_that_speaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    making = ("keygen", tmp_path / "officer", "--no-passphrase", "--policy", tmp_path / "policy.toml")
    assert "指纹" in said(capsys, *making, "--language", "zh")
    assert Policy.read(tmp_path / "policy.toml").language == "zh"
    english = write_policy(tmp_path / "other.toml", preset="default", officer_key="")
    assert "language" not in (tmp_path / "other.toml").read_text()
    assert "language" not in english.to_json()
    assert english.sha256 != CHINESE.sha256
    assert CHINESE.preset == "default"


def test_the_guides_commands_are_the_same_in_every_language() -> None:
    texts = {}
    for language in ("en", "zh"):
        with speaking(language):
            texts[language] = guide_text("f" * 64, "e" * 64, approved=True, told="x", sites={})
    code = re.compile(r"```(?s:.*?)```|^    .*$", re.MULTILINE)
    assert code.findall(texts["en"]) == code.findall(texts["zh"])
    prose = re.sub(r"`[^`]*`|\(https[^)]*\)", "", code.sub("", texts["zh"]))
    more = {
        "Linux",
        "macOS",
        "Windows",
        "Python",
        "cryptography",
        "openssl",
        "shell",
        "Git",
        "for",
        "PowerShell",
        "Ed",
    }
    assert latin(prose) <= NAMES | more


def test_a_card_is_in_its_sets_own_language(tmp_path: Path) -> None:
    """Whoever reads or writes it: the scan and the release compare it to the byte."""
    make_set(tmp_path / "set")
    manifest = open_synthetic_set(tmp_path / "set").manifest
    chinese = dataclasses.replace(manifest, language="zh", prior=PriorNamed(**PRIOR))
    for language in ("en", "zh"):
        with speaking(language):
            assert dataset_card(manifest) == (tmp_path / "set/README.md").read_text()
            assert "# 合成图像" in dataset_card(chinese)
    prose = re.sub(r"`[^`]*`", "", dataset_card(chinese).partition("\n---\n")[2])
    known = {"DICOM", "Secondary", "Capture", "Synthetic", "Data", "YES", "uint", "CR", "CHEST", "uniform"}
    assert latin(prose) - NAMES - known <= {*CLASSES, *PRIOR["source"].split(), *PRIOR["licence"].split()}
    assert "language" not in manifest.to_json({})
    assert chinese.to_json({})["language"] == "zh"
    with pytest.raises(UsageError, match="among en, zh"):
        dataclasses.replace(manifest, language="xx")
