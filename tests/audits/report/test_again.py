"""A report can be drawn again from its record, and a record that was edited is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privgan.errors import IntegrityError, UsageError
from privgan_audits.gate.verdict import judge
from privgan_audits.policy import Policy
from privgan_audits.release.render_again import render_again
from privgan_audits.report.gallery import Gallery, read_gallery, worrying_excess
from privgan_audits.report.words import frame
from tests.audits.report.reading import seen, written
from tests.audits.report.recorded import GALLERY, record

Record = dict[str, Any]


def judged() -> Record:
    """A record whose verdict is the one that its numbers give."""
    content = record()
    verdict = judge(Policy.from_json(content["policy"]), content)
    told = {"verdict": verdict.verdict, "scope": verdict.scope, "reasons": list(verdict.reasons)}
    return content | told | {"level": verdict.level}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("untouched") / "report"
    written(folder, judged())
    return folder


@pytest.fixture
def report(untouched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untouched, tmp_path / "report"))


def test_pages_are_drawn_again_byte_for_byte(report: Path) -> None:
    """From audit.json and the pictures alone, also after the pages were lost or edited: no date, no random id."""
    before = [(report / name).read_bytes() for name in ("audit.html", "audit-public.html")]
    (report / "audit.html").unlink()
    (report / "audit-public.html").write_text("<p>PASS, believe me</p>")
    assert render_again(report)["verdict"] == judged()["verdict"]
    assert [(report / name).read_bytes() for name in ("audit.html", "audit-public.html")] == before


def test_without_its_pictures_a_report_says_so(report: Path) -> None:
    """Somebody may have deleted the patients' images on purpose; the numbers stay readable."""
    (report / "private" / "gallery.npz").unlink()
    render_again(report)
    page = seen(report / "audit.html")
    assert frame.NO_GALLERY in page.text
    assert "img" not in page.tags


EDITS: list[Callable[[Record], object]] = [
    lambda content: content.update(verdict="PASS"),
    lambda content: content.update(scope="differential-privacy" if content["scope"] == "empirical" else "empirical"),
    lambda content: content["reasons"].pop(),
    lambda content: content.update(level=0.5),
    lambda content: content["policy"].update(max_auc=0.99),
    lambda content: content["tests"][1].update(copies_of_members=3),
    lambda content: content.pop("policy"),
    lambda content: content.update(gallery_sha256="0" * 64),
    lambda content: content.update(tests=7),
]


@pytest.mark.parametrize("edit", EDITS)
def test_a_hand_edited_record_is_refused_and_nothing_is_drawn(report: Path, edit: Callable[[Record], object]) -> None:
    """Whatever contradicts itself; an edit that does not is the ledger's to find."""
    path, before = report / "audit.json", (report / "audit.html").read_bytes()
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    with pytest.raises(IntegrityError):
        render_again(report)
    assert (report / "audit.html").read_bytes() == before


def test_damaged_pictures_are_refused(report: Path) -> None:
    """Also when the digest was adjusted to them."""
    with pytest.raises(IntegrityError):
        Gallery.from_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(IntegrityError):
        read_gallery(report, "0" * 64)


def test_no_report_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        render_again(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="did not make"):
        render_again(tmp_path / "empty")
    (tmp_path / "empty" / "audit.html").write_text("a page without its record")
    with pytest.raises(IntegrityError):
        render_again(tmp_path / "empty")


def test_the_gallery_survives_its_file_and_hides_who_is_who() -> None:
    """Same pictures, same bytes; pairs of both sides in an order that nothing but the pictures decides."""
    again = Gallery.from_bytes(GALLERY.to_bytes())
    assert again.to_bytes() == GALLERY.to_bytes()
    assert [pair.side for pair in again.blinded] == [pair.side for pair in GALLERY.blinded]
    assert "sensitive" in repr(again.blinded[0])


def test_the_key_comes_last_and_pairs_do_not_tell_their_side(report: Path) -> None:
    """Between the pairs and the key no word says which real image is a member's."""
    page = (report / "audit.html").read_text()
    pairs, key = page[page.index('id="pictures"') : page.index('id="limits"')], page[page.index('id="key"') :]
    assert 'class="pairs"' in pairs
    assert "non-member" not in pairs
    assert key.count("<td>non-member</td>") == key.count("<td>member</td>") == 6
    assert "<h2" not in key[key.index("</h2>") :]


def test_a_fair_reviewer_is_rarely_accused() -> None:
    """At the worst share of ticks the excess is reached in fewer than one of 20 reports; one less is too many."""
    rng = np.random.default_rng(0)
    for pairs in (6, 12):
        ticks = rng.binomial(pairs, 0.5, (2, 40_000))
        excess = ticks[0] - ticks[1]
        limit = worrying_excess(pairs)
        assert (excess >= limit).mean() < 0.055
        assert (excess >= limit - 1).mean() > 0.055
