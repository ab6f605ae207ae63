"""What the demo types: the whole path of one hospital, and that of three which learn one generator together."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from privgan_cli.options import today

POLICY, BUNDLE = "policy.toml", "bundle"
SITES = ("north", "south", "west")
_CALLED = ("--modality", "CR", "--body-part", "CHEST", "--classes", "clear,opacity")
_APPROVED_DAYS = 365
Line = list[str]


def of_one(folder: Path, *, columns: str, size: int, epsilon: float, count: int) -> list[Line]:
    """Two people: the officer, whose policy demands an approval, and the hospital's data engineer, who releases."""
    at = {name: str(folder / name) for name in ("dicom", "cohort", "run", "synthetic", "report", BUNDLE)}
    hospital = str(folder / "keys" / "hospital")
    labels = ["--csv", f"{at['dicom']}/labels.csv", "--columns", columns]
    officer, policy = str(folder / "keys" / "officer"), ["--policy", str(folder / POLICY)]
    books = ["--cohort", at["cohort"], "--run", at["run"], "--report", at["report"]]
    return [
        ["keygen", officer, "--no-passphrase", *policy, "--house", "An invented hospital"],
        ["keygen", hospital, "--no-passphrase"],
        ["doctor"],
        ["scan", at["dicom"], *labels],
        ["prepare", at["dicom"], at["cohort"], *labels, *_CALLED, "--size", str(size), *policy],
        ["plan", "--patients", "2000", "--batch", "128", "--steps", "250", "--epsilon", f"{epsilon:g}"],
        ["train", at["cohort"], at["run"], "--epsilon", f"{epsilon:g}"],
        ["generate", at["run"], at["synthetic"], "--count", str(count)],
        ["audit", at["synthetic"], *books, *policy],
        _approve(at["report"], at["cohort"], officer, "Demo Officer"),
        ["release", at["synthetic"], *books, "--to", at[BUNDLE], "--key", f"{hospital}.key"],
        ["verify", at[BUNDLE], "--public-key", f"{hospital}.pub", "--officer-key", f"{officer}.pub"],
        ["budget", at["cohort"]],
    ]


def of_several(folder: Path, *, size: int, epsilon: float, patients: int) -> Iterator[Line]:
    """Up to the questions: every hospital has keys, a cohort and an officer of its own; one invites, all say yes."""
    for site in SITES:
        officer, policy = str(folder / site / "officer"), ["--policy", str(folder / site / POLICY)]
        dicom, labels = str(folder / site / "dicom"), ["--csv", str(folder / site / "dicom" / "labels.csv")]
        yield ["keygen", officer, "--no-passphrase", *policy, "--house", f"An invented hospital in the {site}"]
        yield ["keygen", str(folder / site / site), "--no-passphrase"]
        yield ["prepare", dicom, str(folder / site / "cohort"), *labels, *_CALLED, "--size", str(size), *policy]
    invited = [word for site in SITES for word in ("--site", f"{site}={folder / site / site}.pub")]
    asked = ["--epsilon", f"{epsilon:g}", "--patients", str(patients), "--key", f"{folder / SITES[0] / SITES[0]}.key"]
    yield ["invite", str(folder / "federation"), "--like", str(folder / SITES[0] / "cohort"), *invited, *asked]
    yield from (["join", *_answering(folder, site)] for site in SITES)


def answers(folder: Path) -> list[Line]:
    """One round of questions: every hospital answers what it can."""
    return [["answer", *_answering(folder, site)] for site in SITES]


def of_all(folder: Path, *, count: int) -> Iterator[Line]:
    """After the questions: one set, which each draws, audits, approves and agrees to; one bundle."""
    first, federation = SITES[0], str(folder / "federation")
    for site in SITES:
        at, officer = folder / site, str(folder / site / "officer")
        set_, report, joint = str(at / "synthetic"), str(at / "report"), _joint(folder, site)
        asked = ["--count", str(count), *joint] if site == first else _invited(folder)
        books = ["--cohort", str(at / "cohort"), "--run", str(at / "run"), "--report", report]
        yield ["generate", str(at / "run"), set_, "--federation", federation, *asked]
        yield ["audit", set_, *books, "--policy", str(at / POLICY)]
        yield _approve(report, str(at / "cohort"), officer, f"Officer of the {site}")
        yield ["agree", federation, set_, *books, *joint]
    yield ["sites", federation, *_invited(folder)]
    at = folder / first
    books = ["--cohort", str(at / "cohort"), "--run", str(at / "run"), "--report", str(at / "report")]
    joint, bundle = ["--federation", federation, *_joint(folder, first)], str(folder / BUNDLE)
    yield ["release", str(at / "synthetic"), *books, *joint, "--to", bundle]
    yield ["verify", bundle, *_keys(folder, "--public-key", SITES), *_keys(folder, "--officer-key", ["officer"] * 3)]


def _keys(folder: Path, option: str, names: Sequence[str]) -> Iterator[str]:
    for site, name in zip(SITES, names, strict=True):
        yield from (option, f"{folder / site / name}.pub")


def _answering(folder: Path, site: str) -> Line:
    federation, at = str(folder / "federation"), folder / site
    return [federation, str(at / "cohort"), str(at / "run"), *_joint(folder, site)]


def _joint(folder: Path, site: str) -> Line:
    return ["--key", f"{folder / site / site}.key", *_invited(folder)]


def _invited(folder: Path) -> Line:
    return ["--invited-by", f"{folder / SITES[0] / SITES[0]}.pub"]


def _approve(report: str, cohort: str, officer: str, name: str) -> Line:
    until = (today() + timedelta(days=_APPROVED_DAYS)).isoformat()
    words = ["--until", until, "--purpose", "to see how it works", "--recipient", "nobody", "--yes"]
    return ["approve", report, "--cohort", cohort, "--key", f"{officer}.key", "--name", name, *words]
