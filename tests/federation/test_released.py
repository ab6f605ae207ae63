"""One bundle with the signed words of three hospitals, or none; whose fault it is, and never why."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan import seals
from privgan.errors import AuditFailedError, IntegrityError, NotReleasableError, PrivganError, UsageError
from privgan.language import retold, speaking
from privgan_audits.release import bundle as layout
from privgan_audits.release.approval import APPROVAL
from privgan_audits.release.joint.agreeing import agree, disagree
from privgan_audits.release.joint.agreement import Letters, no
from privgan_audits.release.recipient.answer import answer, lines
from tests.audits.releasing import TODAY, Record, make_gate
from tests.federation.joint import FEDERATION, NAMES, NORTH, SOUTH, WEST, Together

Harm = Callable[[Together], None]


def anew(together: Together, name: str = NORTH) -> None:
    """Release once more, into an empty place."""
    shutil.rmtree(together.bundle)
    together.release(name)


def refused(together: Together, kind: type[PrivganError], match: str, name: str = NORTH) -> str:
    """What is said; in Chinese there are words for it, too; and no bundle appears."""
    shutil.rmtree(together.bundle, ignore_errors=True)
    with pytest.raises(kind, match=match) as said:
        together.release(name)
    assert not together.bundle.exists()
    with speaking("zh"):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in retold(str(said.value)))
    return str(said.value)


def test_one_bundle_carries_three_signatures(together: Together) -> None:
    found = together.verify()
    assert [each.site for each in found.sites] == list(NAMES)
    assert found.federation == FEDERATION
    told = answer(found)
    assert {each["key_fingerprint"] for each in told["sites"]} == {
        seals.fingerprint(together.gate(name).key.public_key()) for name in NAMES
    }
    assert len({each["approval"]["public_key"] for each in told["sites"]}) == len(NAMES)
    text = "\n".join(lines(found))
    assert "3 hospitals have signed" in text
    assert all(f"- {name}: PASS" in text for name in NAMES)
    officers = [together.root / name / "officer.pub" for name in NAMES]
    assert together.verify(officer_key=officers) == found


@pytest.mark.parametrize("name", [SOUTH, WEST])
def test_any_of_them_may_release(together: Together, name: str) -> None:
    anew(together, name)
    assert together.verify().key_fingerprint == seals.fingerprint(together.gate(name).key.public_key())


def test_every_hospital_has_the_same_set(together: Together) -> None:
    assert len({together.set_of(name) for name in NAMES}) == 1


def test_no_size_of_a_hospital_leaves(together: Together) -> None:
    """The page of whoever releases speaks of all members together, and no word holds a count."""
    page = (together.bundle / layout.PUBLIC_PAGE).read_text()
    assert "5,000" in page
    assert "1,333" not in page
    alone = re.compile(r"\b1333\b")  # within a digest the four digits mean nothing
    assert not alone.search("".join(path.read_text() for path in (together.bundle / "report").iterdir()))
    for name in NAMES:
        said = seals.unverified(together.letters(name).statement)["predicate"]
        assert not alone.search(json.dumps(said))
        assert "members" not in json.dumps(said)


def test_a_no_says_no_more_than_no(together: Together) -> None:
    """Not even what the site's claims were; and its officer's approval is taken away."""
    together.disagree(SOUTH)
    letters = together.letters(SOUTH)
    said = seals.unverified(letters.statement)["predicate"]
    assert sorted(said) == ["agrees", "federation", "site", "sites"]
    assert (said["agrees"], letters.approval) == (False, b"")
    told = refused(together, NotReleasableError, f"Site {SOUTH} does not agree")
    assert "FAIL" not in told


def test_silence_names_the_site_and_nothing_else(together: Together) -> None:
    (together.exchange.folder / "agreed" / f"{WEST}.dsse.json").unlink()
    refused(together, NotReleasableError, f"these have not said so: {WEST}")


def fails(record: Record) -> None:
    record["tests"][1]["copies_of_members"] = 3


def test_a_hospital_whose_audit_fails_cannot_agree(together: Together) -> None:
    """It hears why; the others do not, and its earlier yes no longer counts once it says no."""
    gate = together.gate(WEST)
    gate.audit(fails, verdict="FAIL")
    before = together.letters(WEST)
    with pytest.raises(AuditFailedError):
        together.agree(WEST)
    assert together.letters(WEST) == before
    together.disagree(WEST)
    refused(together, NotReleasableError, f"Site {WEST} does not agree")


def test_what_nobody_else_can_know(together: Together) -> None:
    """A hospital and its officer that sign a PASS which they have not found are believed: theirs is the signature."""
    together.gate(WEST).audit(fails, verdict="FAIL")
    anew(together)
    assert together.verify().verdict == "PASS"


def test_a_hospital_without_an_approval_cannot_agree(together: Together) -> None:
    (together.root / SOUTH / "report" / APPROVAL).unlink()
    with pytest.raises(IntegrityError, match="privacy officer's approval"):
        together.agree(SOUTH)


def test_a_hospital_whose_policy_names_no_officer_needs_one_all_the_same(tmp_path: Path, together: Together) -> None:
    alone = together.root / "alone"
    alone.mkdir()
    gate = make_gate(alone, federation=asdict(FEDERATION), run_id=FEDERATION.run_id)
    gate.audit()
    case = together.case("alone")
    sites = replace(together.sites, keys={**together.sites.keys, NORTH: gate.line_of("site")})
    case = replace(case, joint=replace(together.joint, sites=sites))
    with pytest.raises(IntegrityError, match="needs of each"):
        agree(case, gate.key, today=TODAY)


def test_whoever_releases_must_have_agreed_to_its_newest_audit(together: Together) -> None:
    together.audit(NORTH)
    refused(together, IntegrityError, "it said yes to earlier ones")
    together.agree(NORTH)
    together.release()
    together.verify()


def test_a_withdrawal_before_the_release_is_a_no(together: Together) -> None:
    together.gate(SOUTH).take_back()
    with pytest.raises(IntegrityError, match="withdrawn"):
        together.agree(SOUTH)
    together.disagree(SOUTH)
    refused(together, NotReleasableError, SOUTH)


def test_only_the_key_of_a_site_releases_or_says_no(together: Together) -> None:
    key = Ed25519PrivateKey.generate()
    with pytest.raises(UsageError, match="site that is invited"):
        agree(together.case(NORTH), key, today=TODAY)
    with pytest.raises(UsageError, match="site that is invited"):
        disagree(together.joint, together.set_of(NORTH), key)


def claims(**change: object) -> Callable[[Record], object]:
    return lambda told: told["predicate"].update(change)


def another_set(together: Together) -> None:
    letters = together.sign(SOUTH, lambda told: told["subject"][1]["digest"].update(sha256="0" * 64))
    together.put(SOUTH, letters)


def with_claims(**change: object) -> Harm:
    return lambda together: together.put(SOUTH, together.sign(SOUTH, claims(**change)))


def another_officers_approval(together: Together) -> None:
    together.put(SOUTH, replace(together.letters(SOUTH), approval=together.letters(WEST).approval))


def by_another_key(together: Together) -> None:
    together.put(SOUTH, together.sign(SOUTH, lambda _: None, signer=WEST))


def unsigned(together: Together) -> None:
    told = json.loads(together.letters(SOUTH).statement)
    told["signatures"] = []
    together.put(SOUTH, Letters(statement=json.dumps(told).encode(), approval=together.letters(SOUTH).approval))


def edited(together: Together) -> None:
    letters = together.letters(SOUTH)
    together.put(SOUTH, replace(letters, statement=letters.statement.replace(b' "payload"', b'  "payload"')))


def without_approval(together: Together) -> None:
    together.put(SOUTH, replace(together.letters(SOUTH), approval=b""))


def of_another(together: Together) -> None:
    together.put(SOUTH, together.letters(WEST))


FORGERIES: dict[str, tuple[Harm, str]] = {
    "another set": (another_set, "on another one"),
    "another federation": (with_claims(federation="0" * 64), "of others"),
    "other sites": (with_claims(sites={NORTH: "x", SOUTH: "y"}), "of others"),
    "another site's name": (with_claims(site=WEST), "written for another one"),
    "another site's word": (of_another, "signature by the given key"),
    "another key": (by_another_key, "signature by the given key"),
    "unsigned": (unsigned, "signed DSSE envelope"),
    "edited": (edited, "something around the signature"),
    "no approval": (without_approval, "missing or another"),
    "another officer's approval": (another_officers_approval, "missing or another"),
    "another verdict": (with_claims(verdict="FAIL"), "of this very release"),
    "another audit": (with_claims(audit_sha256="0" * 64), "of this very release"),
    "a stronger promise": (with_claims(strength="strong"), "at most moderate"),
    "another policy": (with_claims(policy={}), "policy"),
    "a rider": (with_claims(note="Jane Doe"), "something of it is odd"),
    "unseen words": (with_claims(project={"house": "a\nb"}), "something of it is odd"),
    "no claims": (lambda together: together.put(SOUTH, together.letters(NORTH)), "signature by the given key"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_word_is_refused_with_the_site_and_the_reason(together: Together, forgery: str) -> None:
    harm, reason = FORGERIES[forgery]
    harm(together)
    told = refused(together, IntegrityError, reason)
    assert told.startswith(f"The word of site {SOUTH}: ")


def test_a_word_on_an_earlier_try_is_stale(together: Together) -> None:
    """Approved, signed and true, but of the set before."""
    stale = together.letters(SOUTH)
    manifest = together.root / SOUTH / "synthetic" / "manifest.json"
    earlier = manifest.read_bytes()
    assert stale == together.letters(SOUTH)
    for name in NAMES:  # a second set, drawn by all
        place = together.root / name / "synthetic" / "manifest.json"
        place.write_bytes(earlier.replace(b"\n}", b"\n} "))
    refused(together, IntegrityError, "stale, or of another try")


def test_one_officer_for_two_hospitals_is_refused(together: Together) -> None:
    for part in ("officer.key", "officer.pub"):
        shutil.copy(together.root / WEST / part, together.root / SOUTH / part)
    gate = together.gate(SOUTH)
    gate.forge(name="officer", signer="officer")
    envelope = (together.root / SOUTH / "report" / APPROVAL).read_bytes()
    _words_with(together, SOUTH, envelope)
    refused(together, IntegrityError, "those of south and west have the same key")


def test_an_officer_with_a_sites_key_is_refused(together: Together) -> None:
    for end in ("key", "pub"):
        shutil.copy(together.root / NORTH / f"site.{end}", together.root / SOUTH / f"officer.{end}")
    together.gate(SOUTH).forge(name="officer", signer="officer")
    _words_with(together, SOUTH, (together.root / SOUTH / "report" / APPROVAL).read_bytes())
    refused(together, IntegrityError, f"two people at site {SOUTH}")


def _words_with(together: Together, name: str, envelope: bytes) -> None:
    """A hospital that signs whatever it likes: its word with another approval."""
    from privgan.files import sha256_bytes
    from privgan_audits.release.approval import Approval, opened

    facts = opened(Approval, envelope).facts()

    def change(told: Record) -> None:
        told["predicate"]["approval"] = facts
        told["subject"][0]["digest"]["sha256"] = sha256_bytes(envelope)

    together.put(name, replace(together.sign(name, change), approval=envelope))


def test_an_approval_that_ended_at_one_hospital_stops_all(together: Together) -> None:
    shutil.rmtree(together.bundle)
    with pytest.raises(IntegrityError, match=r"that of site .* ended on 2026-12-31"):
        together.release(today=date(2027, 1, 1))


def test_another_federations_folder_is_refused(together: Together) -> None:
    other = replace(together.sites, federation="cd" * 32)
    case = replace(together.case(NORTH), joint=replace(together.joint, sites=other))
    with pytest.raises(IntegrityError, match="folder is of another one"):
        agree(case, together.gate(NORTH).key, today=TODAY)


def test_a_no_in_a_bundle_is_no_bundle(together: Together) -> None:
    """Whoever releases, and signs what it likes, does not get past a no either."""
    letters = no(together.sites, SOUTH, together.set_of(NORTH), together.gate(SOUTH).key)
    word, approval = layout.places_of(SOUTH)
    (together.bundle / word).write_bytes(letters.statement)
    (together.bundle / approval).unlink()
    from tests.audits.releasing import sign_again

    sign_again(together.gate(NORTH), together.bundle)
    with pytest.raises(IntegrityError, match="one of them says no"):
        together.verify()
