"""From a released bundle into an archive: verified first, all of it, and then exactly those bytes.

The journal lies beside the bundle, never inside it: the bundle's list of files is exact.
"""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from privgan.archive.access import Access
from privgan.archive.destination import Peer, WebService
from privgan.archive.dimse import require_echo, store_by_association
from privgan.archive.instance import Instance, Receipt
from privgan.archive.journal import Journal
from privgan.archive.stopping import UnfinishedError, ended_by_sigterm
from privgan.archive.stow import require_answer, store_by_stow
from privgan.archive.web import WebArchive
from privgan.errors import UsageError
from privgan.files import sha256_bytes
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent
from privgan.seals import load_public_key, read_bounded
from privgan_audits.release.bundle import ATTESTATION, DATASET, subjects_of
from privgan_audits.release.verify import signed_by_one, verify

TASK = to_tr("Sending images")
_SUFFIX = ".dcm"
_LARGEST_ATTESTATION_BYTES = 1 << 28


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A bundle and how to check it. public_keys: of the hospital, or of each. officer_keys: demand an officer's
    approval by each. today: UTC.
    """

    bundle: Path
    public_keys: Sequence[Path]
    officer_keys: Sequence[Path] = ()
    today: date


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What one run of `send` did.

    instances: in the bundle. stored, stored_before: acknowledged by the archive, in this run and in earlier ones.
    rejected: by the reason why the archive does not want them. journal: the file that knows.
    """

    instances: int
    stored: int
    stored_before: int
    rejected: dict[str, int]
    journal: Path


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What `send` would do. size: of all instances, in bytes. stored_before: acknowledged in earlier runs.

    answered: whether the archive was asked, and is there.
    """

    instances: int
    size: int
    stored_before: int
    answered: bool


def preview(
    parcel: Parcel, destination: WebService | Peer, access: Access, *, ask: bool, progress: Progress = silent
) -> Preview:
    """Verify a bundle and count what would be sent; nothing is sent, and no journal begun.

    Args:
        parcel: what to send.
        destination: where.
        access: how.
        ask: whether to ask the archive that it is there, by C-ECHO or for a study of the bundle.
        progress: told of every file that is checked.

    Raises:
        UsageError, IntegrityError: as `send` does.
        UnfinishedError: the archive was asked and did not answer.
    """
    bundle_sha256, instances = _verified(parcel, destination, access, progress)
    subject = f"send {bundle_sha256} {destination}"
    path, done = _journal_of(parcel.bundle, subject), set[str]()
    if path.exists():
        with Journal.opened(path, subject) as journal:
            done = set(journal.done)
    if ask:
        _require_there(instances, destination, access)
    return Preview(
        instances=len(instances),
        size=sum(instance.path.stat().st_size for instance in instances),
        stored_before=sum(instance.name in done for instance in instances),
        answered=ask,
    )


def _require_there(instances: list[Instance], destination: WebService | Peer, access: Access) -> None:
    if isinstance(destination, Peer):
        require_echo(destination, access)
    else:
        require_answer(instances[0], WebArchive(destination, access))


def send(parcel: Parcel, destination: WebService | Peer, access: Access, progress: Progress = silent) -> Delivery:
    """Verify a bundle and store its DICOM files in an archive, those that it has not acknowledged before.

    Args:
        parcel: what to send.
        destination: where.
        access: how.
        progress: told of every file that is checked, and of every instance that is sent.

    Raises:
        UsageError: a key is missing, there is no DICOM in the bundle, or the archive does not want to talk to us.
        IntegrityError: the bundle does not verify, or a file was changed afterwards; nothing of that is sent.
        UnfinishedError: the archive cannot go on now, or SIGTERM arrived; the same call sends the rest.
    """
    bundle_sha256, instances = _verified(parcel, destination, access, progress)
    subject = f"send {bundle_sha256} {destination}"
    with Journal.opened(_journal_of(parcel.bundle, subject), subject) as journal, ended_by_sigterm():
        waiting = [instance for instance in instances if instance.name not in journal.done]
        before, rejected = len(instances) - len(waiting), Counter[str]()
        try:
            with closing(_store(waiting, destination, access)) as receipts:
                for done, receipt in enumerate(receipts, start=before + 1):
                    if receipt.refused:
                        rejected[receipt.refused] += 1
                    else:
                        journal.add(receipt.name)
                    progress(tr(TASK), done, len(instances))
        except UnfinishedError as error:
            stored = sum(instance.name in journal.done for instance in instances)
            raise UnfinishedError(
                f"{error} {stored} of {len(instances)} instances are stored. The same command sends the rest."
            ) from None
    return Delivery(
        instances=len(instances),
        stored=len(waiting) - rejected.total(),
        stored_before=before,
        rejected=dict(sorted(rejected.items())),
        journal=journal.path,
    )


def _verified(
    parcel: Parcel, destination: WebService | Peer, access: Access, progress: Progress
) -> tuple[str, list[Instance]]:
    """The bundle's digest, and its DICOM files with the digests that the hospital signed, after all was verified."""
    access.require_fitting(destination)
    officers = parcel.officer_keys
    verify(parcel.bundle, parcel.public_keys, today=parcel.today, officer_key=officers, progress=progress)
    attestation = read_bounded(parcel.bundle / ATTESTATION, _LARGEST_ATTESTATION_BYTES)
    digests = subjects_of(signed_by_one(attestation, list(map(load_public_key, parcel.public_keys)))[0])
    instances = [
        Instance(name=name, path=parcel.bundle / name, sha256=digest)
        for name, digest in sorted(digests.items())
        if name.startswith(f"{DATASET}/") and name.endswith(_SUFFIX)
    ]
    if not instances:
        raise UsageError("Expected DICOM files in the bundle, there are none. Generate with --format dicom.")
    return sha256_bytes(attestation), instances


def _store(instances: list[Instance], destination: WebService | Peer, access: Access) -> Generator[Receipt]:
    if isinstance(destination, Peer):
        yield from store_by_association(instances, destination, access)
    else:
        yield from store_by_stow(instances, WebArchive(destination, access))


def _journal_of(bundle: Path, subject: str) -> Path:
    place = bundle.resolve()
    return place.with_name(f"{place.name}.sent-{sha256_bytes(subject.encode())[:12]}.jsonl")
