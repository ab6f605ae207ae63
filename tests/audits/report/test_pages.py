"""The report's two pages: what they must show, and what they must never contain."""

import json
import stat
from pathlib import Path

import numpy as np
import pytest

from privgan.dp.budget.ledger import Ledger
from privgan.dp.gaussian import GaussianQueries
from privgan.files import sha256_file
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.examine import run_audit
from privgan_audits.policy import Policy
from privgan_audits.questions import QUESTIONS
from privgan_audits.questions.controls.rule import GATING_COPIES
from privgan_audits.questions.controls.words import copy_name
from privgan_audits.report.appendix import measured_facts
from privgan_audits.report.cards import words_of
from privgan_audits.report.gallery import Gallery
from privgan_audits.report.words import frame
from privgan_audits.report.words.verdicts import PUBLIC_HEADLINE, STATES, VERDICTS
from privgan_audits.report.write import write_report
from privgan_audits.telling.keys import humanised
from tests.audits.entries import passing
from tests.audits.hostile import ATTACK
from tests.audits.report.reading import SALT, seen, written
from tests.audits.report.recorded import GALLERY, record

NOT_RUN = {"outcome": "not-run", "reason": "nothing to compare with"}
NOT_APPLICABLE = {"outcome": "not-applicable", "reason": "no claim"}


pytestmark = pytest.mark.usefixtures("planted_where_it_gates")


def images(count: int, seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, 16, 16, 1), dtype=np.uint8)
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "report"
    made.mkdir()
    return made


@pytest.mark.parametrize("smooth", [{}, {"smooth_as": 24}])
def test_the_hospital_reads_that_images_are_smooth_where_they_are(folder: Path, smooth: dict[str, int]) -> None:
    inside = seen(written(folder, {**record("PASS"), **smooth})[0])
    assert ("as images of 24 pixels a side that were enlarged" in inside.text) == bool(smooth)


@pytest.mark.parametrize("verdict", ["PASS", "FAIL", "INVALID", "INCONCLUSIVE"])
@pytest.mark.parametrize("claim", [True, False])
def test_every_verdict_is_spoken_on_both_pages(folder: Path, verdict: str, *, claim: bool) -> None:
    """Both pages lead with the verdict, the promise beside it, and its words."""
    pages = [*map(seen, written(folder, record(verdict, claim=claim)))]
    for page, next_part in zip(pages, ("What to do next", "What was asked"), strict=True):
        spoken = VERDICTS["PASS-empirical" if verdict == "PASS" and not claim else verdict].headline
        if page is pages[1] and verdict == "PASS" and claim:
            spoken = PUBLIC_HEADLINE
        assert page.text.index(verdict) < page.text.index(spoken) < page.text.index(next_part)
        assert page.text.index(verdict) < page.text.index(" promise") < page.text.index(next_part)
        assert "--accept-low-power" in page.text
        assert "max_epsilon = 12 instead of 10" in page.text
        assert (frame.NO_CLAIM in page.text) is not claim
    assert frame.INVISIBLE in pages[0].text
    assert "only epsilon speaks of them" in pages[1].text


def test_what_a_pass_points_to_stands_below_it(folder: Path) -> None:
    """Its headline speaks of the changes that are named below as seen: each that gates."""
    inside = seen(written(folder, record("PASS"))[0])
    headline = VERDICTS["PASS"].headline
    assert "named below as seen; any other leak is left to epsilon" in headline
    below = inside.text[inside.text.index(headline) : inside.text.index("What to do next")]
    named, _, missed = below.partition("Not even from")
    assert all(copy_name(kind) in named for kind in GATING_COPIES)
    assert not any(copy_name(kind) in missed for kind in GATING_COPIES)


@pytest.mark.parametrize(("kinds", "said"), [({"moved images": 3, "parts": 1}, True), ({}, False)])
def test_kinds_of_copies_that_were_left_out_are_counted(folder: Path, kinds: dict[str, int], said: bool) -> None:
    kept = record("PASS")
    next(test for test in kept["tests"] if test["id"] == "T0")["kinds_left_out"] = kinds
    text = seen(written(folder, kept)[0]).text
    assert ("were left to the others: moved images (3), parts (1)." in text) == said
    assert ("were left to the others" in text) == said


@pytest.mark.parametrize(("differences", "said"), [({}, "is what was audited"), (None, "Another program wrote")])
def test_files_of_another_program_are_not_called_what_was_audited(
    differences: dict[str, int] | None, said: str
) -> None:
    found = {"identifiers_found": 0, "by_category": {}, "files": 3, "known_identifiers": 5}
    told = {} if differences is None else {"not_as_audited": differences}
    assert said in " ".join(words_of({"id": "T10"}).answer({**found, **told}).sentences)


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
    """No image, no chart, no measured number however rounded, no reason, no count of images, no salt."""
    inside, outside = (path.read_text() for path in written(folder, record("FAIL")))
    for shown_inside in ("data:image/png", "<svg", "0.512", "because &lt;", "2,718", "0.0341", "11 patients"):
        assert shown_inside not in outside
        assert shown_inside in inside
    assert SALT not in inside + outside
    for rounded in ("0.53", "0.54", "53 %", "54 %", "at most 3.21"):
        assert rounded not in outside


def test_groups_that_hide_copies_are_named_inside_and_only_there(folder: Path) -> None:
    """On page one and in a table: from how many members on copies are seen, and who was not looked at."""
    inside, outside = (seen(page).text for page in written(folder, record(tests=passing())))
    for told in (
        "Unchanged copies from within one class, or one value of a column: seen from 17.",
        "Not seen even if all members of the group were copied: site north (14).",
        "Too small, or too many, to be looked at as groups: site south, 7 more.",
        "Of the 2 groups whose patients were compared among themselves, age band old stands out most",
    ):
        assert told in inside
    for shown in ("site north", "site south", "not even if all are copied", "not looked at as a group", "812"):
        assert shown in inside
        assert shown not in outside


def test_files_are_private_except_the_public_page(folder: Path) -> None:
    """audit.json, the internal page and the pictures are for their owner; the digest is that of audit.json."""
    digest = write_report(folder, record(), GALLERY, salt=SALT)
    names = ("audit.json", "audit.html", "private/gallery.npz", "private", "audit-public.html")
    modes = [stat.S_IMODE((folder / name).stat().st_mode) for name in names]
    assert modes == [0o600, 0o600, 0o600, 0o700, 0o644]
    assert digest == sha256_file(folder / "audit.json")
    pictures = sha256_file(folder / "private/gallery.npz")
    assert json.loads((folder / "audit.json").read_text()) == record(gallery_sha256=pictures, salt=SALT)
    assert digest in (folder / "audit.html").read_text()


def test_ids_are_unique_and_pictures_have_words(folder: Path) -> None:
    """Several charts share a page: no id twice, every chart and image named for who cannot see it."""
    page = seen(written(folder, record())[0])
    assert len(page.ids) == len(set(page.ids)) > 20
    assert page.tags.count("svg") == 4
    assert page.tags.count("title") == 5
    assert {"alt", "lang", "scope", "aria-labelledby"} <= page.attributes
    assert all(target[1:] in page.ids for target in page.loads if target.startswith("#"))


@pytest.mark.parametrize("outcome", [NOT_RUN, NOT_APPLICABLE])
def test_reports_cope_with_tests_that_gave_no_numbers(folder: Path, outcome: dict[str, str]) -> None:
    """A report is most needed when evidence is missing."""
    silent = [{"id": f"T{number}", "title": "a test", **outcome} for number in (*range(11), 99)]
    inside, outside = written(folder, record("INCONCLUSIVE", tests=silent), None)
    for page in (inside, outside):
        assert STATES[outcome["outcome"] if page == inside else "public"].label in seen(page).text
    assert outcome["reason"][1:] in seen(inside).text
    assert outcome["reason"][1:] not in seen(outside).text, "it may hold a private count"


def test_knows_the_words_for_everything_that_a_real_audit_finds(folder: Path) -> None:
    """The record has the form of a real one, each test has words, and no finding is shown by its bare key."""
    given = evidence(folder)
    real = run_audit(given, Policy())
    write_report(folder, real.to_json(), Gallery.of(real.internal, given), salt=SALT)
    assert set(record()) == set(real.to_json())
    assert [test["id"] for test in real.to_json()["tests"]] == [asked.id for asked in QUESTIONS]
    for test in real.to_json()["tests"]:
        if test["outcome"] == "measured":
            bare = {fact.name for fact in measured_facts(test)} & {humanised(key) for key in test if "_" in key}
            assert not bare
            assert words_of(test).answer(test).sentences


def test_a_question_that_the_verdict_holds_against_the_set_says_so(folder: Path) -> None:
    """The state of each card is the judge's, not the template's."""
    failed = record("FAIL")
    failed["tests"][1]["copies_of_members"] = 2
    page = written(folder, failed)[0].read_text()
    card = page[page.index('id="T1"') : page.index('id="T2"')]
    assert 'class="state fail"' in card
    assert "2 of them are images of members" in card
    assert 'class="state pass"' in page[page.index('id="T2"') : page.index('id="T10"')]


def test_p_values_are_told_as_chances(folder: Path) -> None:
    """A board reads how often chance alone would look so; the p-value itself stands in the appendix."""
    page = seen(written(folder, record())[0]).text
    assert "in 51 of 100 cases" in page
    assert page.index("in 51 of 100 cases") < page.index("Appendix: every number", page.index("Words used here"))


def test_an_invalid_page_ticks_nothing(folder: Path) -> None:
    """Its controls failed: what looks good means nothing, and no card is green."""
    page = written(folder, record("INVALID", tests=passing()))[0].read_text()
    assert 'class="state pass"' not in page
    assert STATES["void"].label in page


def test_finding_nobody_again_gets_no_tick(folder: Path) -> None:
    page = written(folder, record(tests=passing()))[0].read_text()
    card = page[page.index('id="T7"') : page.index('id="T10"')]
    assert 'class="state pass"' not in card


def test_files_alone_protect_nobody(folder: Path) -> None:
    page = seen(written(folder, record(claim=False, scope="empirical"))[0]).text
    assert "Who was looked for" in page
    assert "Who is protected" not in page
    assert "held back by lot" not in page[: page.index("Contents")]
