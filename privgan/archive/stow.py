"""STOW-RS (PS3.18 10.5): files go out in batches, and only what the archive names as stored counts as stored."""

import json
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from privgan.archive.instance import DUPLICATE, OUT_OF_RESOURCES, Identity, Instance, Receipt, judged
from privgan.archive.multipart import joined
from privgan.archive.stopping import UnfinishedError
from privgan.archive.web import Answer, WebArchive, require_service
from privgan.errors import UsageError

MOST_INSTANCES, MOST_BYTES = 50, 32 << 20  # of a batch; a larger file goes alone
_ANSWER_BYTES = 4 << 20
_STORED, _FAILED, _INSTANCE, _REASON = "00081199", "00081198", "00081155", "00081197"
_JSON = "application/dicom+json"
Batch = list[tuple[Instance, bytes]]


def store_by_stow(instances: Iterable[Instance], archive: WebArchive) -> Iterator[Receipt]:
    """Send files; memory holds one batch.

    Yields:
        One receipt an instance, as the archive acknowledges it.

    Raises:
        IntegrityError: a file is not what was verified.
        UsageError: the archive does not want to talk to us, or is none.
        UnfinishedError: the archive cannot go on now.
    """
    for batch in _batches(instances):
        yield from _store(batch, archive)


def require_answer(instance: Instance, archive: WebArchive) -> None:
    """Ask whether a service is there and lets us in: for a study that is ours, so that no patient is in the answer.

    Raises:
        IntegrityError: the file is not what was verified.
        UsageError: the service does not want to talk to us, or is none.
        UnfinishedError: it cannot be reached, or does not answer.
    """
    from pydicom import dcmread

    study = str(dcmread(BytesIO(instance.read()), specific_tags=["StudyInstanceUID"]).StudyInstanceUID)
    query = {"StudyInstanceUID": study, "limit": "1"}
    require_service(archive.get(f"{archive.address()}/studies", _JSON, _ANSWER_BYTES, query))


def _batches(instances: Iterable[Instance]) -> Iterator[Batch]:
    batch: Batch = []
    size = 0
    for instance in instances:
        content = instance.read()
        if batch and (len(batch) == MOST_INSTANCES or size + len(content) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((instance, content))
        size += len(content)
    if batch:
        yield batch


def _store(batch: Batch, archive: WebArchive) -> Iterator[Receipt]:
    content_type, body = joined([content for _, content in batch])
    answer = archive.post(f"{archive.address()}/studies", content_type, body, _JSON, _ANSWER_BYTES)
    if answer.status == 413:  # proxies bound bodies, often to 1 MiB
        if len(batch) == 1:
            yield Receipt(name=batch[0][0].name, refused="too_large")
        else:
            half = len(batch) // 2
            yield from _store(batch[:half], archive)
            yield from _store(batch[half:], archive)
        return
    if answer.status not in (200, 202, 409):
        require_service(answer)
    refusals = _refusals(answer)
    for instance, content in batch:
        refused = refusals.get(Identity.of(content).sop_instance, "not_acknowledged")
        if refused == OUT_OF_RESOURCES:
            raise UnfinishedError("The archive is out of resources.")
        yield Receipt(name=instance.name, refused=refused)


def _refusals(answer: Answer) -> dict[str, str]:
    """SOP Instance UID -> why it is refused, empty for stored, from a Store Instances Response (PS3.18 I.2)."""
    try:
        found = json.loads(answer.body)
        module: dict[str, Any] = found[0] if isinstance(found, list) else found
        stored = {_value(item, _INSTANCE): "" for item in module.get(_STORED, {}).get("Value", [])}
        failed = {
            _value(item, _INSTANCE): _failure(int(_value(item, _REASON)))
            for item in module.get(_FAILED, {}).get("Value", [])
        }
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        raise UsageError(
            f"Expected an answer about each instance, the archive's cannot be read ({answer.status}). "
            "Is this the address of a DICOMweb service?"
        ) from None
    return {**failed, **stored}


def _failure(reason: int) -> str:
    """Why an instance in the list of failures is not stored; a code of success says nothing there."""
    return judged(reason) or ("" if reason == DUPLICATE else "other")


def _value(item: dict[str, Any], tag: str) -> str:
    return str(item[tag]["Value"][0])
