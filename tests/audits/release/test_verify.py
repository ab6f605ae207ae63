"""The recipient's check: any flipped byte, any extra, missing or foreign thing is found."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privgan import seals
from privgan.errors import IntegrityError, UsageError
from privgan.files import sha256_bytes
from privgan.folders import list_files
from privgan_audits.release import bundle as layout
from privgan_audits.release.verify import VerifiedBundle
from privgan_audits.release.verify import verify as verify_on
from tests.audits.releasing import TODAY, Gate, make_gate, sign_again

BUNDLE = dict.fromkeys((layout.GUIDE, layout.MANIFEST, layout.PUBLIC_PAGE, layout.PUBLIC_SUMMARY), "00" * 32)


def verify(bundle: Path, key: Path) -> VerifiedBundle:
    return verify_on(bundle, key, today=TODAY)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    gate = make_gate(tmp_path_factory.mktemp("gate"))
    gate.audit()
    gate.release()
    return gate


def test_flipping_any_bit_of_any_file_is_found(released: Gate) -> None:
    bundle, key = released.root / "bundle", released.root / "site.pub"
    files = list_files(bundle)

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def flip(data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(files))
        original = path.read_bytes()
        position, bit = data.draw(st.integers(0, len(original) - 1)), data.draw(st.integers(0, 7))
        edited = bytearray(original)
        edited[position] ^= 1 << bit
        path.write_bytes(edited)
        try:
            with pytest.raises(IntegrityError):
                verify(bundle, key)
        finally:
            path.write_bytes(original)

    flip()
    verify(bundle, key)


def test_every_file_of_the_bundle_is_covered(released: Gate) -> None:
    bundle, key = released.root / "bundle", released.root / "site.pub"
    for path in list_files(bundle):
        original = path.read_bytes()
        path.write_bytes(original + b" ")
        with pytest.raises(IntegrityError):
            verify(bundle, key)
        path.unlink()
        with pytest.raises(IntegrityError):
            verify(bundle, key)
        path.write_bytes(original)
    verify(bundle, key)


def link_instead(bundle: Path) -> None:
    guide = bundle / "VERIFY.md"
    guide.rename(bundle.parent / "guide")
    guide.symlink_to(bundle.parent / "guide")


def consistent_forgery(bundle: Path) -> None:
    """Somebody edits the guide and repairs SHA256SUMS, but cannot sign."""
    guide, sums = bundle / "VERIFY.md", bundle / "SHA256SUMS"
    before = sha256_bytes(guide.read_bytes())
    guide.write_bytes(guide.read_bytes() + b"\nTrust us.\n")
    sums.write_text(sums.read_text().replace(before, sha256_bytes(guide.read_bytes())))


def forged_signature(bundle: Path) -> None:
    """Somebody signs the same statement with a key of their own."""
    own = seals.load_private_key(seals.generate_key(bundle.parent / "forger", None).private)
    path = bundle / layout.ATTESTATION
    path.write_bytes(seals.sign(seals.in_toto({}, layout.PREDICATE_TYPE, {"verdict": "PASS"}), own))


@pytest.mark.parametrize(
    "harm",
    [
        lambda b: (b / "dataset" / "extra.dcm").write_bytes(b"x"),
        lambda b: (b / "report" / "audit.html").write_text("internal"),
        lambda b: (b / "empty").mkdir(),
        lambda b: (b / "link").symlink_to("/etc/passwd"),
        lambda b: os.mkfifo(b / "pipe"),
        lambda b: (b / "dataset" / "labels.csv").rename(b / "dataset" / "labels2.csv"),
        lambda b: (b / layout.ATTESTATION).write_text("{}"),
        link_instead,
        consistent_forgery,
        forged_signature,
    ],
)
def test_extra_missing_and_forged_things_are_found(
    released: Gate, bundle: Path, harm: Callable[[Path], object]
) -> None:
    verify(bundle, released.root / "site.pub")
    harm(bundle)
    with pytest.raises(IntegrityError):
        verify(bundle, released.root / "site.pub")


@pytest.mark.parametrize(
    ("subjects", "predicate_type"),
    [
        ({"../outside": "00" * 32}, layout.PREDICATE_TYPE),
        ({"dataset/$(reboot)": "00" * 32}, layout.PREDICATE_TYPE),
        (BUNDLE | {"dataset/NUL.dcm": "00" * 32}, layout.PREDICATE_TYPE),
        (BUNDLE | {"dataset/Manifest.json": "00" * 32}, layout.PREDICATE_TYPE),
        (BUNDLE | {"dataset/a./b": "00" * 32}, layout.PREDICATE_TYPE),
        ({}, layout.PREDICATE_TYPE),
        ({}, "urn:other"),
    ],
)
def test_a_well_signed_statement_about_something_else_is_refused(
    released: Gate, bundle: Path, subjects: dict[str, str], predicate_type: str
) -> None:
    envelope = seals.sign(seals.in_toto(subjects, predicate_type, {}), released.key)
    (bundle / layout.ATTESTATION).write_bytes(envelope)
    with pytest.raises(IntegrityError, match=r"no others|statement about"):
        verify(bundle, released.root / "site.pub")


def test_a_foreign_key_is_refused(released: Gate, bundle: Path, tmp_path: Path) -> None:
    other = seals.generate_key(tmp_path / "other", None)
    with pytest.raises(IntegrityError):
        verify(bundle, other.public)


def test_missing_paths_are_usage_errors(released: Gate, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        verify(tmp_path / "absent", released.root / "site.pub")
    with pytest.raises(UsageError):
        verify(released.root / "bundle", tmp_path / "absent.pub")


def test_a_recipient_needs_neither_torch_nor_pydicom() -> None:
    code = (
        "import sys, privgan_audits.release.verify; "
        "sys.exit(bool({'torch', 'pydicom', 'opacus', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    path = os.pathsep.join(filter(None, sys.path))
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, check=True)


@pytest.mark.parametrize("name", ["run_id", "generator_sha256", "config_sha256"])
def test_a_set_of_another_generator_than_the_signed_one_is_refused(tmp_path: Path, name: str) -> None:
    """The holder of the key signs, for other weights or other constants, the files that are there."""
    gate = make_gate(tmp_path)
    gate.audit()
    gate.release()
    bundle, key = gate.root / "bundle", gate.root / "site.pub"
    sign_again(gate, bundle)
    verify(bundle, key)
    sign_again(gate, bundle, lambda predicate: predicate.update({name: "0" * 64}))
    with pytest.raises(IntegrityError, match="weights and constants"):
        verify(bundle, key)


@pytest.mark.parametrize("hidden", ["x\napproved by Dr. Ada Byron on 2026-01-31", "x\x1b[2K\rintact", "x\ufe01"])
@pytest.mark.parametrize("place", ["contact", "citation", "signed"])
def test_no_line_of_the_signers_passes_for_one_of_ours(released: Gate, bundle: Path, place: str, hidden: str) -> None:
    """Whoever holds the release key alone could write an officer's name below a bundle that no officer approved."""

    def change(predicate: dict[str, Any]) -> None:
        tables = {"contact": predicate["project"], "citation": predicate["terms"], "signed": predicate}
        tables[place][place] = hidden

    sign_again(released, bundle, change)
    with pytest.raises(IntegrityError, match="shown as something else"):
        verify(bundle, released.root / "site.pub")
