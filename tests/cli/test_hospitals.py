"""Three hospitals as people use them: keys, an invitation, a yes of each, and three processes that answer."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privgan.data.cohort.cohort import open_cohort
from privgan.dp.budget.ledger import Ledger
from privgan.files import sha256_file
from privgan.run import read_run, write_run
from privgan.seals import load_private_key, sign, unverified
from privgan.synthetic.synthetic_set import open_synthetic_set
from tests.audits.releasing import Gate
from tests.cell import is_allowed
from tests.cli.conftest import as_expected, blobs
from tests.cli.forking import SOUGHT, Warm

Privgan = Callable[..., subprocess.CompletedProcess[str]]
NAMES = ("north", "south", "west")
START = "schema = 1\n[warm_start]\norder = 5\nfine_order = 6\n[model]\nlatent = 8\ngenerator_width = 8\n"
QUESTIONS = 4


@pytest.fixture(scope="module")
def apart(loaded: Warm) -> Warm:
    """Commands that have no network at all: hospitals need a folder that they share, and nothing else.

    Where nobody may make a network, they have the one that there is, and the last test says so.
    """
    return replace(loaded, alone=is_allowed())


@pytest.fixture(scope="module")
def privgan(apart: Warm) -> Privgan:
    """See `apart`."""
    return lambda *words, code=0: as_expected(apart.run(*words), code)


@pytest.fixture(scope="module")
def home(privgan: Privgan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantoms split by patient into three hospitals, each with a cohort and a key."""
    folder = tmp_path_factory.mktemp("hospitals")
    owners = np.repeat(np.arange(180), 1 + np.arange(180) % 2)
    images, labels = blobs(len(owners), 5), owners % 2
    for number, name in enumerate(NAMES):
        own = owners % 3 == number
        np.savez(
            folder / f"{name}.npz",
            images=images[own],
            labels=labels[own].astype(np.int64),
            patient_id=np.array([f"QZX-{owner:05d}-PAT" for owner in owners[own]]),
            classes=np.array(["clear", "opacity"]),
        )
        asked = ("--size", 28, "--accept-low-power", "--max-epsilon", 20, "--site-anchor", folder / f"{name}-anchor")
        privgan("prepare", folder / f"{name}.npz", folder / name, *asked)
        privgan("keygen", folder / f"{name}-key", "--no-passphrase")
    (folder / "train.toml").write_text(START)
    return folder


def invited(home: Path, privgan: Privgan, *more: object) -> dict[str, Any]:
    """What `invite` says."""
    sites = [word for name in NAMES for word in ("--site", f"{name}={home / f'{name}-key.pub'}")]
    said = privgan(
        *("invite", home / "federation", "--like", home / "north", *sites, "--epsilon", 4, "--patients", 200),
        *("--key", home / "north-key.key", "--config", home / "train.toml", "--json", *more),
    )
    return dict(json.loads(said.stdout))


def words(home: Path, name: str) -> tuple[object, ...]:
    """What `join` and `answer` are told at a site."""
    keys = ("--key", home / f"{name}-key.key", "--invited-by", home / "north-key.pub")
    return home / "federation", home / name, home / f"run-{name}", *keys


def test_three_processes_end_in_one_generator(
    home: Path, privgan: Privgan, apart: Warm, fresh: Privgan, tmp_path: Path
) -> None:
    """One of them is killed while it waits, and started again; each ledger is charged once."""
    told = invited(home, privgan, "--accept-noise")
    assert (told["sites"], told["questions"]) == (list(NAMES), QUESTIONS)
    assert told["as_noisy_as"] < 0.6 * told["epsilon"]
    for name in NAMES[:2]:
        joined = json.loads(privgan("join", *words(home, name), "--json").stdout)
    priced = ("transport", "patients", "questions", "as_noisy_as", "epsilon", "epsilon_if_known_to")
    assert [joined[key] for key in priced] == [told[key] for key in priced]
    waiting = privgan("answer", *words(home, "north"), "--json", code=75)
    assert json.loads(waiting.stdout)["missing"] == ["west"]
    assert not Ledger.read(home / "north" / "private" / "ledger.jsonl").queries()
    said = privgan("sites", *_folder(home), "--language", "zh").stdout
    assert "west：尚未加入" in said
    assert "下一步：west 用 privgan join 表示同意" in said
    before = privgan("join", *words(home, "west")).stdout
    assert before.index("a patient whom 3 of the sites know") < before.index("nothing is charged before")

    first = apart.start("answer", *words(home, "north"), "--wait", 4)
    until = time.monotonic() + 240
    while not list((home / "federation" / "answers").glob("*-north.dsse.json")):
        time.sleep(0.02)
        assert time.monotonic() < until
    os.kill(first, signal.SIGKILL)
    assert apart.wait(first).returncode == -signal.SIGKILL
    started = [apart.start("answer", *words(home, name), "--wait", 4) for name in NAMES[1:]]
    fresh("answer", *words(home, NAMES[0]), "--wait", 4)
    for process in started:
        as_expected(apart.wait(process), 0)
    facts = [read_run(home / f"run-{name}") for name in NAMES]
    assert {each.state for each in facts} == {"finished"}
    assert len({each.generator_sha256 for each in facts}) == 1
    for name in NAMES:
        ledger = Ledger.read(home / name / "private" / "ledger.jsonl")
        assert len(ledger.of_kind("charge")) == 1
        assert len(ledger.of_kind("answered")) == QUESTIONS
    standing = json.loads(privgan("sites", *_folder(home), "--json").stdout)
    assert [each["answered"] for each in standing["sites"]] == [QUESTIONS] * len(NAMES)
    assert standing["due"] == {"step": "propose", "sites": [], "question": 0}
    made = tmp_path / "synthetic"
    privgan("generate", home / "run-south", made, "--count", 4, "--format", "npz")
    assert "Members of 3 hospitals" in (made / "README.md").read_text()
    manifest = json.loads((made / "manifest.json").read_text())
    assert manifest["federation"]["sha256"] == told["federation"]
    again = privgan("answer", *words(home, "south"))
    assert "all 4 questions are answered" in again.stdout
    alone = privgan("train", home / "south", home / "run-south", "--epsilon", 4, "--resume", code=2)
    assert "privgan answer" in alone.stderr


@pytest.fixture
def gates(home: Path, tmp_path: Path) -> dict[str, Gate]:
    """Each hospital's cohort and run with an officer of its own; what an audit of a small cohort cannot say is forged
    where it is told.
    """
    found = {}
    for name in NAMES:
        gate = found[name] = Gate(root=tmp_path / name)
        for part, made in (("cohort", home / name), ("synthetic-run", home / f"run-{name}")):
            shutil.copytree(made, gate.root / part)
        gate.key_of("officer")
    return found


def passed(gate: Gate) -> None:
    """An audit that the ledger remembers as a PASS."""
    held, cohort = open_synthetic_set(gate.root / "synthetic"), open_cohort(gate.root / "cohort")

    def change(record: dict[str, Any]) -> None:
        record["privacy"], record["overrides"] = asdict(held.manifest.spend), []
        record["cohort"]["cohort_id"] = cohort.facts.cohort_id

    gate.audit(change)


def test_a_set_is_proposed_and_drawn_and_one_bundle_has_all_signatures(
    home: Path, gates: dict[str, Gate], privgan: Privgan, tmp_path: Path
) -> None:
    """As typed; the audits alone are told, and release looks at books, copies and identifiers itself."""
    joint = ("--federation", home / "federation", "--invited-by", home / "north-key.pub")
    for name in NAMES:
        proposes = ("--count", 6, "--format", "npz", "--key", home / "north-key.key") if name == "north" else ()
        root = gates[name].root
        privgan("generate", root / "synthetic-run", root / "synthetic", *joint, *proposes)
        passed(gates[name])
        words = ("--name", f"Officer {name}", "--until", last_day(), "--purpose", "a try", "--recipient", "nobody")
        privgan(
            "approve", root / "report", "--cohort", root / "cohort", "--key", root / "officer.key", *words, "--yes"
        )
    assert len({(gate.root / "synthetic" / "manifest.json").read_bytes() for gate in gates.values()}) == 1
    told = json.loads(privgan("sites", *_folder(home), "--json").stdout)
    assert (told["proposed_by"], told["words"][0]["agrees"]) == ("north", None)
    assert told["due"] == {"step": "agree", "sites": list(NAMES), "question": 0}
    for name in ("north", "south"):
        assert f"site {name} agrees" in privgan("agree", *agreeing(home, gates, name)).stdout
    release = ("release", *released(home, gates, "south"), *joint, "--to", tmp_path / "bundle")
    assert "these have not said so: west" in privgan(*release, code=4).stderr
    set_ = gates["west"].root / "synthetic"
    privgan("agree", home / "federation", set_, "--no", *keys_of(home, "west"))
    assert "站点 west 不同意" in privgan(*release, "--language", "zh", code=4).stderr
    said = privgan("sites", *_folder(home)).stdout
    assert ("north: agrees" in said, "west: says no" in said, "another set" in said) == (True, True, True)
    privgan("agree", *agreeing(home, gates, "west"))
    assert "next: any site releases the set" in privgan("sites", *_folder(home)).stdout
    assert "--public-key OTHER.pub --public-key OTHER.pub" in privgan(*release).stdout
    keys = [word for name in NAMES for word in ("--public-key", home / f"{name}-key.pub")]
    found = json.loads(privgan("verify", tmp_path / "bundle", *keys, "--json").stdout)
    assert [each["approval"]["officer"] for each in found["sites"]] == [f"Officer {name}" for name in NAMES]
    assert "which are 3, got 1" in privgan("verify", tmp_path / "bundle", *keys[:2], code=2).stderr
    again = privgan("generate", gates["west"].root / "synthetic-run", tmp_path / "none", *joint[:2], code=2)
    assert "--invited-by together" in again.stderr


def last_day() -> str:
    return (datetime.now(UTC).date() + timedelta(days=1)).isoformat()


def keys_of(home: Path, name: str) -> tuple[object, ...]:
    return "--key", home / f"{name}-key.key", "--invited-by", home / "north-key.pub"


def agreeing(home: Path, gates: dict[str, Gate], name: str) -> tuple[object, ...]:
    """What `agree` is told."""
    root = gates[name].root
    books = ("--cohort", root / "cohort", "--run", root / "synthetic-run", "--report", root / "report")
    return home / "federation", root / "synthetic", *books, *keys_of(home, name)


def released(home: Path, gates: dict[str, Gate], name: str) -> tuple[object, ...]:
    """What `release` is told, but for the federation."""
    return *agreeing(home, gates, name)[1:-4], "--key", home / f"{name}-key.key"


def test_another_generator_does_not_draw_what_was_proposed(
    home: Path, gates: dict[str, Gate], privgan: Privgan, tmp_path: Path
) -> None:
    """Nor does anybody draw what nobody of them has proposed."""
    run, place = gates["west"].root / "synthetic-run", home / "federation" / "proposed" / "north.dsse.json"
    joint = ("--federation", home / "federation", "--invited-by", home / "north-key.pub")
    facts = read_run(run)
    write_run(run, replace(facts, generator_sha256="0" * 64))
    assert privgan("generate", run, tmp_path / "one", *joint, code=6).stderr
    write_run(run, replace(facts, spend=replace(facts.spend, epsilon=3.9)))
    assert "another one came" in privgan("generate", run, tmp_path / "two", *joint, code=6).stderr
    write_run(run, facts)
    kept = place.read_bytes()
    place.write_bytes(kept.replace(b' "payload"', b'  "payload"'))
    assert "something around the signature" in privgan("generate", run, tmp_path / "three", *joint, code=6).stderr
    key, federation = (
        load_private_key(home / "north-key.key"),
        sha256_file(home / "federation" / "invitation.dsse.json"),
    )
    said = unverified(kept)
    assert said["subject"][0]["digest"]["sha256"] == federation
    for change, code, reason in (
        ({"count": 10**12}, 2, "free"),
        ({"count": 0}, 6, "odd or missing"),
        ({"count": 7}, 6, "another one came"),
    ):
        asked = said["predicate"]["asked"] | change
        place.write_bytes(sign({**said, "predicate": said["predicate"] | {"asked": asked}}, key))
        assert reason in privgan("generate", run, tmp_path / "four", *joint, code=code).stderr
    place.write_bytes(kept)
    assert not [path for path in tmp_path.iterdir() if path.name not in NAMES]


def _folder(home: Path) -> tuple[object, ...]:
    return home / "federation", "--invited-by", home / "north-key.pub"


def test_nothing_can_come_of_too_few_patients(home: Path, privgan: Privgan, tmp_path: Path) -> None:
    """By the noise of all sites together; without --accept-noise nobody is invited."""
    sites = [word for name in NAMES for word in ("--site", f"{name}={home / f'{name}-key.pub'}")]
    asked = ("--like", home / "north", *sites, "--epsilon", 4, "--patients", 200, "--key", home / "north-key.key")
    said = privgan("invite", tmp_path / "federation", *asked, code=5).stderr
    assert "nothing can come of it" in said
    assert not list(tmp_path.iterdir())


def test_a_wrong_letter_is_told_by_its_site(home: Path, privgan: Privgan) -> None:
    """Whoever keeps the folder sees it, in their language, by exit code 6."""
    place = home / "federation" / "answers" / "01-west.dsse.json"
    kept = place.read_bytes()
    place.write_bytes(b"{}")
    forged = home / "federation" / "proposed" / "west.dsse.json"
    shutil.copy(forged.with_name("north.dsse.json"), forged)
    said = privgan("sites", *_folder(home), "--language", "zh", code=6).stdout
    assert "站点 west 对提问 1 的应答：" in said
    assert "站点 west 提议的数据集：" in said
    due = privgan("sites", *_folder(home), code=6).stdout
    assert "next: west answer question 1" in due
    place.write_bytes(kept)
    said = privgan("sites", *_folder(home), code=6).stdout
    assert "next: west propose again, or send the letter again" in said
    forged.unlink()


def test_hospitals_had_no_network(apart: Warm, tmp_path: Path) -> None:
    """Whoever looks for another machine there ends with a code that nobody expects: an archive is one."""
    if not apart.alone:
        pytest.skip("nobody may make a network here: hospitals had the one that there is")
    words = ("fetch", "https://198.51.100.1/dicom-web", tmp_path / "fetched", "--query", "Modality=CR")
    done = apart.run(*words)
    assert done.returncode == SOUGHT, done.stderr
