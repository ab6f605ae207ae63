"""What a recipient opens first: words, terms, splits, further forms, Croissant, and the way into Python."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

import privgan
from privgan.data.identifiers import PART
from privgan.errors import AuditFailedError, InputRejectedError, IntegrityError, UsageError
from privgan.folders import list_files
from privgan.seals import open_signed
from privgan.synthetic.other_forms import FORMS
from privgan.synthetic.synthetic_set import open_synthetic_set
from privgan_audits.policy import Policy
from privgan_audits.release import bundle as layout
from privgan_audits.release import release as releasing
from privgan_audits.release.approval import APPROVAL
from privgan_audits.release.recipient import loading
from privgan_audits.release.recipient.answer import lines
from privgan_audits.release.recipient.offer import Offer
from privgan_audits.release.recipient.readme import NO_LICENCE
from privgan_audits.release.release import Cleared, clear
from privgan_cli import surface
from tests.audits.releasing import TODAY, Gate, Record, copied, make_gate
from tests.places import ROOT
from tests.synthetic.making import reseal

CITATION = "Anytown Hospital: Chests, 2026"
OFFER = Offer(licence="cc-by-4.0", forms=FORMS)
TEXTS = (".md", ".json", ".csv", ".html", "")


def audit_under(gate: Gate, policy: Policy) -> None:
    gate.begin(open_synthetic_set(gate.root / "synthetic").sha256, policy.sha256)
    gate.audit(lambda record: record.update(policy=policy.to_json()), begun=gate.ledger.entries[-1])


@pytest.fixture(scope="module")
def offered(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """Forty images, approved and released under a licence in all forms; `plain` beside it, with nothing said."""
    gate = make_gate(tmp_path_factory.mktemp("gate"), count=40)
    audit_under(gate, Policy(citation=CITATION))
    gate.release()
    (gate.root / "bundle").rename(gate.root / "plain")
    gate.approve()
    gate.release(offer=OFFER)
    return gate


@pytest.fixture(autouse=True)
def while_the_approval_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surface, "today", lambda: TODAY)


@pytest.fixture
def gate(offered: Gate, tmp_path: Path) -> Gate:
    return copied(offered, tmp_path)


def predicate_of(gate: Gate) -> Record:
    signed = (gate.root / "bundle" / layout.ATTESTATION).read_bytes()
    return dict(open_signed(signed, gate.key.public_key())["predicate"])


def test_the_first_page_says_what_must_be_known(offered: Gate) -> None:
    text = (offered.root / "bundle" / "README.md").read_text()
    told = (
        *(
            "# Chests for teaching",
            "**Verdict PASS, moderate promise.**",
            "strong up to epsilon 1",
            "at most 17 % sure",
        ),
        *("| Contact | data office |", "| Who answers for it | Anytown Hospital |", "| Purpose | teaching |"),
        *("| Recipient | Anytown University |", "| Last day of use | 2026-12-31; ask the hospital then |"),
        *("| Licence | CC-BY-4.0 |", "| Citation | Anytown Hospital: Chests, 2026 |", "was not bought"),
        *("not for diagnosis", "dataset/README.md", "formats/medmnist.npz", "formats/imagefolder/"),
    )
    assert [part for part in told if part not in text] == []


def test_without_a_licence_the_first_page_says_so(offered: Gate) -> None:
    plain = offered.root / "plain"
    text = (plain / "README.md").read_text()
    assert f"| Licence | {NO_LICENCE} |" in text
    assert text.startswith("---\nlicense: unknown\n")
    assert "one person released it" in text
    assert "No licence is stated." in (plain / layout.PUBLIC_PAGE).read_text()
    assert "Licence: CC-BY-4.0." in (offered.root / "bundle" / layout.PUBLIC_PAGE).read_text()
    assert not (plain / "formats").exists()


def test_nothing_in_a_bundle_promises_too_much_or_forbids_itself(offered: Gate) -> None:
    for path in list_files(offered.root / "bundle"):
        if path.suffix in TEXTS:
            text = " ".join(path.read_text().split())
            assert "No image shows a patient" not in text
            assert "must not leave" not in text


def test_every_link_of_the_first_page_leads_to_a_file(offered: Gate) -> None:
    bundle = offered.root / "bundle"
    text = (bundle / "README.md").read_text()
    links = set(re.findall(r"\]\(([^)]+)\)", text)) | set(re.findall(r"`([\w./-]+\.\w+)`", text))
    inside = {link for link in links if link != "images.npz" and not link.startswith("privgan")}
    assert len(inside) > 8
    assert [link for link in inside if not (bundle / link).exists() and not (bundle / "report" / link).exists()] == []


@pytest.mark.parametrize("which", ["plain", "bundle"])
def test_the_lines_of_python_load_it_with_numpy_alone(offered: Gate, which: str) -> None:
    bundle = offered.root / which
    (code,) = re.findall(r"```python\n(.*?)```", (bundle / "README.md").read_text(), flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=bundle, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("(28, 28, 28) [")
    assert "effusion" in done.stdout or "normal" in done.stdout


def test_words_that_somebody_typed_open_no_column_and_no_tag(gate: Gate) -> None:
    gate.audit(lambda record: record.update(project={"title": "<b>T</b>", "contact": "a|b", "house": "H & Co"}))
    gate.approve(force=True)
    gate.release(force=True)
    text = (gate.root / "bundle" / "README.md").read_text()
    assert "# &lt;b&gt;T&lt;/b&gt;" in text
    assert "| Contact | a\\|b |" in text
    head = text.split("---\n")[1]
    (title,) = re.findall(r"^pretty_name: (.*)$", head, flags=re.MULTILINE)
    assert json.loads(title) == "<b>T</b>"


def test_the_policys_terms_hold_unless_others_are_given(gate: Gate) -> None:
    policy = Policy(licence="for teaching alone", citation="as you like")
    assert policy.preset == "default"
    audit_under(gate, policy)
    gate.approve(force=True)
    gate.release(force=True)
    assert predicate_of(gate)["terms"] == gate.verify().terms == {k: v for k, v in policy.words.items() if v}
    assert "licence: for teaching alone" in lines(gate.verify())
    assert 'other\nlicense_name: "for teaching alone"\n' in (gate.root / "bundle" / "README.md").read_text()
    with pytest.raises(UsageError, match="other terms would leave"):
        gate.release(force=True, offer=Offer(licence="CC0-1.0"))  # the officer signed for teaching alone
    (gate.root / "report" / APPROVAL).unlink()
    gate.release(force=True, offer=Offer(licence="CC0-1.0"))
    assert predicate_of(gate)["terms"] == {"licence": "CC0-1.0", "citation": "as you like"}


@pytest.mark.parametrize("offer", [Offer(licence="call 555 0199"), Offer(citation="Chests, of whom a few: 17, 23")])
def test_words_that_the_officer_has_not_read_do_not_leave(gate: Gate, offer: Offer) -> None:
    """Whoever releases could otherwise write what they know under the officer's name; alone they sign it alone."""
    with pytest.raises(UsageError, match="than the officer has read"):
        gate.release(force=True, offer=offer)
    (gate.root / "report" / APPROVAL).unlink()
    gate.release(force=True, offer=offer)
    assert offer.terms.items() & predicate_of(gate)["terms"].items()


def test_an_approval_that_comes_late_is_seen(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put beside the report after the first look, it binds all the same."""
    approval = gate.root / "report" / APPROVAL
    content = approval.read_bytes()
    approval.unlink()

    def put_back(*given: Any) -> Cleared:
        approval.write_bytes(content)
        return clear(*given)

    monkeypatch.setattr(releasing, "clear", put_back)
    with pytest.raises(UsageError, match="than the officer has read"):
        gate.release(force=True, offer=Offer(citation="other words"))


@pytest.mark.parametrize("offer", [Offer(licence="as Quixmire wants"), Offer(citation="Zeb Quixmire, 2026")])
def test_terms_that_name_a_patient_do_not_leave(tmp_path: Path, offer: Offer) -> None:
    gate = make_gate(tmp_path, identifiers={PART: ["quixmire"]})
    gate.audit()
    with pytest.raises(InputRejectedError, match="names nobody"):
        gate.release(offer=offer)
    assert not (gate.root / "bundle").exists()


@pytest.mark.parametrize("wrong", [{"licence": "two\nlines"}, {"citation": "x" * 301}, {"forms": ("tiff",)}])
def test_odd_offers_are_refused(wrong: Record) -> None:
    with pytest.raises(UsageError):
        Offer(**wrong)


def test_further_forms_hold_the_released_images_and_nothing_else(offered: Gate) -> None:
    bundle = offered.root / "bundle"
    loaded = privgan.load(bundle, offered.root / "site.pub")
    with np.load(bundle / "formats/medmnist.npz", allow_pickle=False) as arrays:
        for split, short in {"train": "train", "validation": "val", "test": "test"}.items():
            assert (arrays[f"{short}_images"] == loaded.images[loaded.splits == split]).all()
    pictures = [path for path in list_files(bundle / "formats") if path.suffix == ".png"]
    assert len(pictures) == len(loaded.images) == 40
    for path in pictures:
        number = int(path.stem)
        assert (np.asarray(Image.open(io.BytesIO(path.read_bytes()))) == loaded.images[number]).all()
        assert path.parts[-3] == loaded.splits[number]
        assert path.parts[-2][0] == str(loaded.labels[number])


def test_a_release_again_is_the_same_to_the_byte(gate: Gate) -> None:
    before = {path.relative_to(gate.root): path.read_bytes() for path in list_files(gate.root / "bundle")}
    gate.release(force=True, offer=OFFER)
    after = {path.relative_to(gate.root): path.read_bytes() for path in list_files(gate.root / "bundle")}
    assert after == before


def test_load_gives_what_was_released(offered: Gate) -> None:
    held = open_synthetic_set(offered.root / "synthetic")
    loaded = privgan.load(
        offered.root / "bundle", offered.root / "site.pub", officer_key=offered.root / "officer.pub"
    )
    assert (loaded.images == held.images).all()
    assert (loaded.labels == held.labels).all()
    assert loaded.classes == held.manifest.form.classes
    assert loaded.splits.shape == (40,)
    assert loaded.verified.verdict == "PASS"


def test_the_page_on_using_a_bundle_works_as_it_is_pasted(offered: Gate) -> None:
    page = (ROOT / "docs/how-to/use-a-bundle.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    code = code.replace('"BUNDLE"', '"bundle"').replace('"hospital.pub"', '"site.pub"')
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    # On a day on which the approval of the fixture holds.
    code = f"import datetime, privgan_cli.surface as s; s.today = lambda: datetime.date(2026, 3, 1)\n{code}"
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, cwd=offered.root, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "('normal', 'effusion') PASS\n"


def test_load_verifies_first(gate: Gate) -> None:
    (gate.root / "bundle" / "dataset" / "labels.csv").write_text("file,patient,label\n")
    with pytest.raises(IntegrityError):
        privgan.load(gate.root / "bundle", gate.root / "site.pub")


def test_what_changes_after_it_was_verified_is_not_loaded(gate: Gate) -> None:
    bundle, key = gate.root / "bundle", gate.root / "site.pub"
    found = gate.verify()
    (bundle / "splits.csv").write_text((bundle / "splits.csv").read_text().replace("test", "train"))
    with pytest.raises(IntegrityError, match="meanwhile"):
        loading.load_verified(bundle, [key], found)


def test_croissant_tells_files_and_digests_as_they_are_signed(offered: Gate) -> None:
    bundle = offered.root / "bundle"
    table = json.loads((bundle / "croissant.json").read_text())
    signed = layout.subjects_of(open_signed((bundle / layout.ATTESTATION).read_bytes(), offered.key.public_key()))
    told = {node["contentUrl"]: node["sha256"] for node in table["distribution"]}
    assert told.items() <= signed.items()
    assert {"dataset/images.npz", "splits.csv", "formats/medmnist.npz"} <= told.keys()
    assert table["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert table["citeAs"] == CITATION
    assert table["datePublished"] == TODAY.isoformat()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of rdflib, inside
def test_croissant_is_croissant(offered: Gate) -> None:
    """By MLCommons' own library, where it is installed: no error, no warning, and the records of splits.csv."""
    library = pytest.importorskip("mlcroissant")
    found = library.Dataset(jsonld=offered.root / "bundle" / "croissant.json")
    assert not found.metadata.ctx.issues.errors
    assert not found.metadata.ctx.issues.warnings
    records = list(found.records("images"))
    loaded = privgan.load(offered.root / "bundle", offered.root / "site.pub")
    assert [record["images/split"].decode() for record in records] == loaded.splits.tolist()


def test_a_set_of_one_study_is_drawn_again_searched_and_released(tmp_path: Path) -> None:
    """T6 draws it with its UIDs, T10 knows its headers, and the bundle has a folder a class."""
    gate = make_gate(tmp_path, form={"one_study": True})
    gate.audit()
    gate.release()
    gate.verify()
    held = open_synthetic_set(gate.root / "bundle" / "dataset")
    assert {name.split("/")[1] for name in held.files if name.endswith(".dcm")} == {"000001", "000002"}


def test_a_file_of_one_study_with_another_number_is_no_file_of_privgans(tmp_path: Path) -> None:
    gate = make_gate(tmp_path, form={"one_study": True})
    path = next((gate.root / "synthetic").rglob("*.dcm"))
    dataset = dcmread(path)
    dataset.InstanceNumber = 4711
    dataset.save_as(path)
    reseal(gate.root / "synthetic")
    gate.audit()
    with pytest.raises(AuditFailedError, match="is not what would leave"):
        gate.release()
