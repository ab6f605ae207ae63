"""A small cohort, a synthetic set made for it, and an audit record that passes: what the gate needs."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan import seals
from privgan.config import from_table, to_table
from privgan.data.cohort.cohort import DIGESTED_FILES, MARKER, CohortFacts, open_cohort, write_facts
from privgan.data.identifiers import IdentifierDigests
from privgan.dp.budget.chain import Entry
from privgan.dp.budget.ledger import Ledger
from privgan.dp.gaussian import GaussianQueries
from privgan.files import sha256_file, write_json
from privgan.folders import list_files
from privgan.run import ModelDigests
from privgan.synthetic.synthetic_set import open_synthetic_set
from privgan_audits.policy import Policy
from privgan_audits.release import bundle as layout
from privgan_audits.release.approval import (
    APPROVAL,
    SEEN,
    Approval,
    Approved,
    Grant,
    Rejection,
    Revocation,
    SignedApproval,
)
from privgan_audits.release.judged import judge_again, read_record
from privgan_audits.release.rejecting import reject, revoke
from privgan_audits.release.release import Case, release
from privgan_audits.release.signoff import draft_approval
from privgan_audits.release.verify import VerifiedBundle, verify
from tests.audits.entries import passing
from tests.synthetic.making import RUN_ID, make_set

KEY = bytes(range(32))
COHORT_ID = "fedcba9876543210"
TODAY = date(2026, 3, 1)
QUERIES = [GaussianQueries(noise_multiplier=2.0, sample_rate=0.01, steps=10)]
Record = dict[str, Any]


def make_cohort(folder: Path, identifiers: dict[str, list[str]] | None = None, officer_key: str = "") -> Path:
    """A cohort of four patients with these identifiers (values by category) and an open ledger."""
    private = folder / "private"
    private.mkdir(parents=True, mode=0o700)
    np.save(folder / "images.npy", np.zeros((4, 28, 28), np.uint8))
    columns = {"patient": np.arange(4), "label": np.zeros(4, np.int64), "split": np.array([0, 0, 1, 1], np.uint8)}
    np.savez(folder / "patients.npz", **columns)
    (folder / "refused.jsonl").write_text("")
    (private / "hmac.key").write_bytes(KEY)
    digests = IdentifierDigests(KEY)
    for category, values in (identifiers or {}).items():
        for value in values:
            digests.add(category, value)
    digests.write(private / "identifiers")
    (private / "patients").write_text("")
    write_facts(folder, _facts({name: sha256_file(folder / name) for name in DIGESTED_FILES}, officer_key))
    Ledger.create(
        private / "ledger.jsonl",
        cohort_sha256=sha256_file(folder / MARKER),
        members=2,
        delta=1e-5,
        max_epsilon=10.0,
    )
    return folder


def _facts(digests: dict[str, str], officer_key: str) -> CohortFacts:
    values: Record = {
        "cohort_id": COHORT_ID,
        "privgan_version": "0.1.0",
        "created": "2026-01-31",
        "preset": "custom",
        "window_low": 0.0,
        "window_high": 255.0,
        "image_size": 28,
        "modality": "CR",
        "body_part": "CHEST",
        "classes": ("normal", "effusion"),
        "patients": 4,
        "members": 2,
        "non_members": 2,
        "images": 4,
        "non_member_fraction": 0.5,
        "merged_patients": 0,
        "excluded_patients": 0,
        "refused": {},
        "overrides": (),
        "digests": digests,
        "officer_key": officer_key,
    }
    return from_table(CohortFacts, values)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Everything that `release` is given; methods change one thing and remember it as the audit would."""

    root: Path

    @property
    def ledger(self) -> Ledger:
        """As it is now."""
        return Ledger.read(self.root / "cohort" / "private" / "ledger.jsonl")

    @property
    def key(self) -> Ed25519PrivateKey:
        """The site's signing key."""
        return self.key_of("site")

    def key_of(self, name: str) -> Ed25519PrivateKey:
        """The key NAME.key, made when it is first asked for."""
        if not (self.root / f"{name}.key").exists():
            seals.generate_key(self.root / name, None)
        return seals.load_private_key(self.root / f"{name}.key")

    def line_of(self, name: str) -> str:
        """The public half of NAME.key as a policy names it."""
        return seals.key_line(self.key_of(name).public_key())

    def record(self) -> Record:
        """An audit record of the set that passes."""
        held = open_synthetic_set(self.root / "synthetic")
        cohort = open_cohort(self.root / "cohort")
        return {
            "schema_version": 1,
            "kind": "audit",
            "verdict": "PASS",
            "scope": "differential-privacy",
            "reasons": ["Every test that this audit requires ran, had the power to see a leak, and found none."],
            "level": Policy().level(1),
            "date": "2026-01-31",
            "policy": Policy().to_json(),
            "privacy": {"epsilon": 3.0, "delta": 1e-5, "unit": "patient", "adjacency": "zero-out"},
            "claim_not_private": False,
            "attempt": 1,
            "overrides": ["accept-delta"],
            "project": {"title": "Chests for teaching", "contact": "data office", "house": "Anytown Hospital"},
            "counts": {
                "members": 1333,
                "non_members": 667,
                "member_images": 2000,
                "non_member_images": 1000,
                "synthetic": 6,
                "image_size": 28,
            },
            "synthetic": {"sha256": held.sha256, "count": 6},
            "cohort": {
                "cohort_id": COHORT_ID,
                "sha256": cohort.sha256,
                "officer_pinned": bool(cohort.facts.officer_key),
            },
            "notes": ["secret-number-0.4711 stays inside"],
            "ceiling": {"fpr": [0.001, 0.01, 1.0], "tpr": [0.002, 0.02, 1.0]},
            "ledger": {"entries": [dict(entry) for entry in self.ledger.entries], "head": self.ledger.head},
            "utility": {"outcome": "not-run", "reason": "not in this test"},
            "gallery_sha256": None,
            "salt": "5" * 64,
            "tests": passing(),
            **({"federation": asdict(held.manifest.federation)} if held.manifest.federation else {}),
        }

    def audit(
        self,
        change: Callable[[Record], object] = lambda _: None,
        *,
        verdict: str = "PASS",
        begun: Entry | None = None,
    ) -> None:
        """Begin an audit unless it has `begun`, write REPORT/ with the (changed) record, and end it."""
        record = self.record()
        change(record)
        begun = begun or self.begin(record["synthetic"]["sha256"], record["policy"]["sha256"]).entries[-1]
        report = self.root / "report"
        report.mkdir(exist_ok=True)
        write_json(report / "audit.json", record)
        (report / "audit.html").write_text("internal")
        (report / "audit-public.html").write_text("<p>Forged: Jane Doe</p>")
        digest = sha256_file(report / "audit.json")
        self.ledger.record_audit(begun, report_sha256=digest, verdict=verdict)

    def begin(self, synthetic_sha256: str, policy_sha256: str = Policy().sha256) -> Ledger:
        """Begin an audit of a set, which counts as an attempt."""
        return self.ledger.begin_audit(synthetic_sha256, policy_sha256=policy_sha256)

    def approve(
        self, name: str = "officer", first: str = "2026-01-31", last: str = "2026-12-31", **options: Any
    ) -> SignedApproval:
        """Have the holder of NAME.key approve the report."""
        words = {"purpose": "teaching", "recipient": "Anytown University", "reason": "no patient is named"}
        grant = Grant(officer="Dr. Ada Byron", **words, approved=first, until=last)
        options = {"cohort": self.root / "cohort", **options}
        return draft_approval(self.root / "report", grant, **options).sign(self.key_of(name))

    def forge(self, name: str = "second", signer: str = "second") -> None:
        """Have the holder of SIGNER.key write, with another tool, an approval that names NAME.key."""
        words = {"purpose": "teaching", "recipient": "Anytown University", "reason": "no patient is named"}
        grant = Grant(officer="Dr. Eve", **words, approved="2026-01-31", until="2026-12-31")
        audit = judge_again(*read_record(self.root / "report")).approved
        approval = Approval(grant=grant, audit=audit, public_key=self.line_of(name), ledger=SEEN)
        (self.root / "report" / APPROVAL).write_bytes(seals.sign(approval.statement(), self.key_of(signer)))

    def take_back(self, by: str = "officer", **options: Any) -> Revocation:
        """Have the holder of BY.key withdraw the approval."""
        folders = self.root / "report", self.root / "cohort"
        return revoke(*folders, self.key_of(by), **{"reason": "wrong recipient", "today": TODAY, **options})

    def reject(self, by: str = "officer", **options: Any) -> Rejection:
        """Have the holder of BY.key say no."""
        folders = self.root / "report", self.root / "cohort"
        words = {"officer": "Dr. Ada Byron", "reason": "the recipient is unknown", "today": TODAY}
        return reject(*folders, self.key_of(by), **{**words, **options})

    def release(self, by: str = "site", today: date = TODAY, **options: Any) -> Record:
        """Call the gate."""
        at = {name: self.root / name for name in ("synthetic", "cohort", "report")}
        case, bundle = Case(**at, run=self.root / "synthetic-run"), self.root / "bundle"
        return release(case, bundle, self.key_of(by), today=today, **options)

    def verify(self, **options: Any) -> VerifiedBundle:
        """Be the recipient."""
        return verify(self.root / "bundle", self.root / "site.pub", **{"today": TODAY, **options})


def make_gate(
    root: Path, officer: str = "", count: int = 6, identifiers: dict[str, list[str]] | None = None, **run: object
) -> Gate:
    """A cohort with one closed run, its synthetic set, and a key; not audited yet.

    officer: whose key is pinned. count: of images. identifiers: what the source said of patients.
    """
    make_set(root / "synthetic", count, **run)
    return gate_around(root, officer, identifiers, **run)


def gate_around(
    root: Path, officer: str = "", identifiers: dict[str, list[str]] | None = None, **run: object
) -> Gate:
    """The cohort and the key beside a `synthetic` and its `synthetic-run` that lie there already."""
    gate = Gate(root=root)
    make_cohort(root / "cohort", identifiers, officer_key=gate.line_of(officer) if officer else "")
    gate.key_of("site")
    run_id = str(run.get("run_id", RUN_ID))
    gate.ledger.charge(run_id, QUERIES, delta=1e-5)
    if run.get("federation"):
        gate.ledger.record_answer(run_id, question=1, sha256="0" * 64)
    gate.ledger.close(run_id, **asdict(ModelDigests.of(root / "synthetic-run")))
    return gate


def copied(gate: Gate, root: Path) -> Gate:
    """The same, keys included, in a folder of its own: to be changed."""
    return Gate(root=Path(shutil.copytree(gate.root, root, dirs_exist_ok=True)))


def make_officers_gate(root: Path) -> Gate:
    """Audited, with the officer's key pinned in the cohort, but not approved."""
    gate = make_gate(root, officer="officer")
    gate.audit()
    return gate


def make_released(root: Path) -> Gate:
    """Approved by the officer and released by the hospital; `plain` beside it without an approval."""
    gate = make_gate(root)
    gate.audit()
    gate.release()
    (root / "bundle").rename(root / "plain")
    gate.approve()
    gate.release()
    return gate


def changed(approved: Approved, **change: Any) -> Approved:
    """Another approval. change: of what is signed, as it lies on disk."""
    return from_table(Approved, {**to_table(approved), **change})


def sign_again(released: Gate, bundle: Path, change: Callable[[Record], object] = lambda _: None) -> None:
    """Whoever holds the hospital's key alone signs what the bundle holds now, with a changed predicate."""
    files = [path for path in list_files(bundle) if path.name not in (layout.ATTESTATION, layout.SUMS)]
    digests = {path.relative_to(bundle).as_posix(): sha256_file(path) for path in files}
    site = released.key
    predicate = seals.open_signed((bundle / layout.ATTESTATION).read_bytes(), site.public_key())["predicate"]
    change(predicate)
    envelope = seals.sign(seals.in_toto(digests, layout.PREDICATE_TYPE, predicate), site)
    (bundle / layout.ATTESTATION).write_bytes(envelope)
    (bundle / layout.SUMS).write_bytes(
        layout.sums_text({**digests, layout.ATTESTATION: sha256_file(bundle / layout.ATTESTATION)})
    )
