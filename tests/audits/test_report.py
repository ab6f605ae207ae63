"""The report's two pages: what they must show, and what they must never contain."""

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privgan.dp.accounting import GaussianQueries
from privgan.dp.budget.ledger import Ledger
from privgan.files import sha256_file
from privgan_audits.audit import run_audit
from privgan_audits.interface import Evidence, Sample
from privgan_audits.policy import Policy
from privgan_audits.report import words
from privgan_audits.report.findings import measured_facts
from privgan_audits.report.numbers import belief, humanised, rounded_up
from privgan_audits.report.write import write_report

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>"
SECRET = 0.5123776611
NOT_RUN = {"outcome": "not-run", "reason": "nothing to compare with"}
NOT_APPLICABLE = {"outcome": "not-applicable", "reason": "no claim"}


@dataclass
class Seen(HTMLParser):
    """What a browser would find on a page."""

    tags: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what matters of one tag."""
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name in {"src", "href", "xlink:href", "srcset", "action", "data"}:
                self.loads.append(value or "")

    def handle_data(self, data: str) -> None:
        """Collect what a reader sees."""
        self.text += data


def seen(path: Path) -> Seen:
    page = Seen()
    page.feed(path.read_text())
    return page


def images(count: int, seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, 16, 16), dtype=np.uint8)
    return Sample(images=pixels, labels=np.zeros(count, np.int64), patients=1000 * seed + np.arange(count))


def evidence(folder: Path) -> Evidence:
    opened = Ledger.create(folder / "ledger", cohort_sha256="0" * 64, members=40, delta=1e-4, max_epsilon=10.0)
    queries = [GaussianQueries(noise_multiplier=2.0, sample_rate=0.1, steps=20)]
    return Evidence(
        members=images(40, 1),
        non_members=images(20, 2),
        synthetic=images(30, 3),
        synthetic_folder=folder,
        synthetic_sha256="c" * 64,
        classes=("clear", ATTACK),
        ledger=opened.charge("run-1", queries, delta=1e-4),
    )


def record(verdict: str = "PASS", *, claim: bool = True, **changes: Any) -> dict[str, Any]:
    """A record of the form that `run_audit` writes; a test below compares the two."""
    steps = np.geomspace(1e-3, 1.0, 30)
    privacy = {"epsilon": 3.204, "delta": 1e-4, "unit": "patient", "adjacency": "zero-out"}
    return {
        "schema_version": 1,
        "kind": "audit",
        "verdict": verdict,
        "scope": "differential-privacy" if claim else "empirical",
        "reasons": [f"because {ATTACK} {SECRET}"],
        "level": 0.00608,
        "policy": Policy(max_epsilon=12.0).to_json(),
        "privacy": privacy if claim else dict.fromkeys(privacy),
        "claim_not_private": False,
        "attempt": 1,
        "overrides": ["accept-low-power"],
        "counts": {"members": 1333, "non_members": 667, "synthetic": 4000, "image_size": 16}
        | {"member_images": 2718, "non_member_images": 1414},
        "synthetic": {"sha256": "c" * 64, "count": 4000},
        "encoder": {"sha256": "e" * 64, "trained_on": ATTACK},
        "cohort": None,
        "notes": [ATTACK],
        "tests": [
            {"id": "T0", "title": "controls", "outcome": "measured", "split_p": SECRET, "split_auc": SECRET}
            | {"resplits": 200, "small_p_near_copies": 11, "small_p_membership": 9, "copies_planted_at_most": 40}
            | {"limit_of_detection": {"exact": 11, "flip": 12, "shift_2_px": 13, "noise_2_percent": 12}},
            {"id": "T1", "title": "copies", "outcome": "measured", "copies_of_members": 0}
            | {"copies_of_other_patients": 0, "constant_images": 3, "compared_real_images": 4132},
            {"id": "T2", "title": "near", "outcome": "measured", "p": SECRET}
            | {
                "spaces": {
                    "pixels": {"p": SECRET, "members_before_non_member": {"1": 2}, "expected_when_safe": {"1": 2.0}}
                }
            }
            | {"look_alikes": {"hashes": {"bits": 3, "members": 4, "non_members": 1, "p": SECRET}}},
            {"id": "T3", "title": "member", "outcome": "measured", "p": SECRET, "auc": SECRET, "auc_upper": 0.5301}
            | {"auc_se_when_safe": 0.0137, "tpr_upper": 0.0234, "precision": {"0.01": SECRET}}
            | {"tpr": {"1_percent": {"measured": SECRET, "low": 0.0, "high": 0.0234}}}
            | {"attacks": {"classifier": {"auc": SECRET, "auc_se": 0.0137, "tpr_at_1_percent": SECRET}}}
            | {"series": {"fpr": steps.tolist(), "tpr": steps.tolist(), "tpr_low": (steps / 2).tolist()}},
            {"id": "T6", "title": "books", "outcome": "measured", "claimed_epsilon": 3.204}
            | {"cohort_total_epsilon": 3.204, "checks": {"unit_is_the_patient": True, ATTACK: False}},
            {"id": "T10", "title": ATTACK, "outcome": "not-run", "reason": ATTACK},
        ],
        **changes,
    }


INTERNAL = {
    "T2": {"pairs": [{"member_row": 7, "synthetic_row": 11, "ratio": SECRET, "distance": SECRET, "space": "pixels"}]},
    "T3": {"members": [SECRET] * 30 + [0.9, float("inf")], "non_members": [1.1, 0.7]},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "report"
    made.mkdir()
    return made


def written(folder: Path, content: Mapping[str, Any], *, with_evidence: bool = True) -> tuple[Path, Path]:
    write_report(folder, content, INTERNAL, evidence(folder) if with_evidence else None)
    return folder / "audit.html", folder / "audit-public.html"


@pytest.mark.parametrize("verdict", ["PASS", "FAIL", "INVALID", "INCONCLUSIVE"])
@pytest.mark.parametrize("claim", [True, False])
def test_every_verdict_is_spoken_on_both_pages(folder: Path, verdict: str, *, claim: bool) -> None:
    """Both pages lead with the verdict and its words, and carry the sentence about what stays invisible."""
    for page in map(seen, written(folder, record(verdict, claim=claim), with_evidence=False)):
        spoken = words.VERDICTS["PASS-empirical" if verdict == "PASS" and not claim else verdict]
        assert page.text.index(verdict) < page.text.index(spoken.headline) < page.text.index("What to do next")
        assert words.INVISIBLE in page.text
        assert "--accept-low-power" in page.text
        assert "max_epsilon = 12 instead of 10" in page.text
        assert (words.NO_CLAIM in page.text) is not claim


def test_nothing_from_the_data_becomes_markup(folder: Path) -> None:
    """Names, reasons and notes are escaped; the pages hold no script, no handler, no form and load nothing."""
    inside, outside = written(folder, record("FAIL"))
    for path in (inside, outside):
        page = seen(path)
        assert not {"script", "iframe", "object", "embed", "form", "link", "b", "base"} & set(page.tags)
        assert not [name for name in page.attributes if name.startswith("on")]
        assert all(target.startswith(("data:image/png;base64,", "#")) for target in page.loads)
        assert "http:" not in path.read_text()
        assert "https:" not in path.read_text()
        assert "default-src 'none'" in path.read_text()
        assert "@import" not in path.read_text()
    assert ATTACK in seen(inside).text, "the attack is shown as text"


def test_the_public_page_holds_no_private_value(folder: Path) -> None:
    """No image, no chart, no exact statistic, no reason, no count of images: bounds are rounded upwards."""
    inside, outside = (path.read_text() for path in written(folder, record("FAIL")))
    for shown_inside in ("data:image/png", "<svg", "0.512", "because", "2,718", "0.0341", "11 patients"):
        assert shown_inside not in outside
        assert shown_inside in inside
    assert "at most 0.54" in outside
    assert "at most 0.03" in outside
    assert "0.53" not in outside


def test_the_public_page_does_not_depend_on_private_values(folder: Path, tmp_path: Path) -> None:
    """Two audits that differ only in what was measured below the rounding give one and the same public page."""
    other = record("FAIL", reasons=["another"], notes=["another"])
    for test in other["tests"]:
        for key, value in list(test.items()):
            if value == SECRET:
                test[key] = 0.25
    other["tests"][3] |= {"auc_upper": 0.5399, "tpr_upper": 0.0291}
    other["tests"][0]["limit_of_detection"]["exact"] = None
    other["counts"]["member_images"] = 3141
    again = tmp_path / "again"
    again.mkdir()
    assert written(folder, record("FAIL"))[1].read_bytes() == written(again, other)[1].read_bytes()


def test_pages_are_the_same_bytes_each_time(folder: Path, tmp_path: Path) -> None:
    """No date, no random id: a report can be rendered again and compared."""
    again = tmp_path / "again"
    again.mkdir()
    for one, other in zip(written(folder, record()), written(again, record()), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_files_are_private_except_the_public_page(folder: Path) -> None:
    """audit.json and the internal page are for their owner; the returned digest is that of audit.json."""
    digest = write_report(folder, record(), INTERNAL, evidence(folder))
    modes = {name: stat.S_IMODE((folder / name).stat().st_mode) for name in ("audit.json", "audit.html")}
    assert modes == {"audit.json": 0o600, "audit.html": 0o600}
    assert digest == sha256_file(folder / "audit.json")
    assert json.loads((folder / "audit.json").read_text()) == record()


def test_ids_are_unique_and_pictures_have_words(folder: Path) -> None:
    """Several charts share a page: no id twice, every chart and image named for who cannot see it."""
    page = seen(written(folder, record())[0])
    assert len(page.ids) == len(set(page.ids)) > 20
    assert page.tags.count("svg") == 2
    assert page.tags.count("title") == 3
    assert {"alt", "lang", "scope", "aria-labelledby"} <= page.attributes


@pytest.mark.parametrize("outcome", [NOT_RUN, NOT_APPLICABLE])
def test_reports_cope_with_tests_that_gave_no_numbers(folder: Path, outcome: dict[str, str]) -> None:
    """A report is most needed when evidence is missing."""
    silent = [{"id": f"T{number}", "title": "a test", **outcome} for number in (0, 1, 2, 3, 6, 10, 99)]
    inside, _ = written(folder, record("INCONCLUSIVE", tests=silent), with_evidence=False)
    assert outcome["reason"] in seen(inside).text
    assert words.OUTCOMES[outcome["outcome"]].label in seen(inside).text


def test_knows_the_words_for_everything_that_a_real_audit_finds(folder: Path) -> None:
    """The record above has the form of a real one, and no finding is shown by its bare key."""
    given = evidence(folder)
    real = run_audit(given, Policy())
    write_report(folder, real.to_json(), real.internal, given)
    assert set(record()) == set(real.to_json())
    for test in real.to_json()["tests"]:
        if test["outcome"] == "measured":
            bare = {fact.name for fact in measured_facts(test)} & {humanised(key) for key in test if "_" in key}
            assert not bare


@given(st.floats(min_value=0, max_value=1))
def test_rounded_bounds_never_lie(value: float) -> None:
    """An upper bound may only grow by rounding, and by less than one unit of the second decimal."""
    assert value <= float(rounded_up(value)) < value + 0.01 + 1e-12


def test_odds_are_those_of_the_definition() -> None:
    """Posterior odds = prior odds times e^epsilon, and nothing overflows."""
    posterior = belief(0.1, 2.0)
    assert posterior / (1 - posterior) == pytest.approx(np.exp(2.0) / 9)
    assert belief(0.5, 0.0) == 0.5
    assert belief(0.5, 1e6) == 1.0
