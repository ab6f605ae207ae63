"""What an archive says about an instance, by either protocol, and what we make of it."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.uid import SecondaryCaptureImageStorage
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage  # type: ignore[attr-defined]

from privgan.archive import stow
from privgan.archive.access import Access
from privgan.archive.destination import Peer, parse_service
from privgan.archive.dimse import store_by_association
from privgan.archive.instance import Identity, Instance, Receipt
from privgan.archive.stopping import UnfinishedError
from privgan.archive.stow import store_by_stow
from privgan.archive.web import WebArchive
from privgan.errors import IntegrityError, PrivganError, UsageError
from privgan.files import sha256_file
from tests.archive.stub import Asked, Said, answering

INSTANCE, STORED, FAILED, REASON = "00081155", "00081199", "00081198", "00081197"


@pytest.fixture
def instances(released: Path) -> list[Instance]:
    """The twelve files of the bundle."""
    files = sorted((released / "bundle").rglob("*.dcm"))
    return [Instance(name=path.name, path=path, sha256=sha256_file(path)) for path in files]


def uids(body: bytes) -> list[str]:
    """The SOP Instance UIDs of a STOW-RS body, in order."""
    files = re.split(rb"\r\n?--[0-9a-f]{32}", b"\r\n" + body)[1:-1]
    return [Identity.of(file.split(b"\r\n\r\n", 1)[1]).sop_instance for file in files]


def response(status: int, stored: list[str], failed: dict[str, int] | None = None) -> Said:
    """A Store Instances Response."""
    module = {
        STORED: {"vr": "SQ", "Value": [{INSTANCE: {"vr": "UI", "Value": [uid]}} for uid in stored]},
        FAILED: {
            "vr": "SQ",
            "Value": [
                {INSTANCE: {"vr": "UI", "Value": [uid]}, REASON: {"vr": "US", "Value": [code]}}
                for uid, code in (failed or {}).items()
            ],
        },
    }
    return Said(status=status, body=json.dumps(module).encode())


def sent_by_stow(instances: list[Instance], answer: Callable[[Asked], Said]) -> tuple[list[Receipt], list[Asked]]:
    with answering(answer) as stub:
        return list(store_by_stow(instances, WebArchive(parse_service(stub.url), Access()))), stub.asked


def test_batches_are_bounded_and_hold_the_verified_bytes(
    instances: list[Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By count and by size; one large file goes alone; every file goes once, in order."""
    contents = [instance.read() for instance in instances]
    size = len(contents[0])
    for most, largest, sizes in ((5, 1 << 20, [5, 5, 2]), (50, size * 3 + 100, [3, 3, 3, 3]), (50, 1, [1] * 12)):
        monkeypatch.setattr(stow, "MOST_INSTANCES", most)
        monkeypatch.setattr(stow, "MOST_BYTES", largest)
        receipts, asked = sent_by_stow(instances, lambda request: response(200, uids(request.body)))
        assert [len(uids(request.body)) for request in asked] == sizes
        assert receipts == [Receipt(name=instance.name) for instance in instances]
        everything = b"".join(request.body for request in asked)
        assert all(content in everything for content in contents)


def test_only_what_is_named_as_stored_is_stored(instances: list[Instance]) -> None:
    """A failure has its reason, and silence is none."""
    reasons = {0x0122: "sop_class", 0xA900: "data_set", 0xC122: "transfer_syntax", 0x0110: "other", 0: "other"}

    def answer(request: Asked) -> Said:
        known = uids(request.body)
        return response(202, known[:4], dict(zip(known[4:9], reasons, strict=True)))

    receipts, _ = sent_by_stow(instances, answer)
    assert [receipt.refused for receipt in receipts] == [""] * 4 + list(reasons.values()) + ["not_acknowledged"] * 3


def test_a_body_that_is_too_large_for_a_proxy_is_halved(instances: list[Instance]) -> None:
    """Down to single files; one that is still too large is refused."""
    largest = sorted(len(instance.read()) for instance in instances)[-1] * 2 + 400

    def answer(request: Asked) -> Said:
        found = uids(request.body)
        if len(request.body) > largest or known["first"] in found:
            return Said(status=413)
        return response(200, found)

    known = {"first": Identity.of(instances[0].read()).sop_instance}
    receipts, _ = sent_by_stow(instances, answer)
    assert [receipt.refused for receipt in receipts] == ["too_large"] + [""] * 11


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        (Said(status=200, body=b""), UsageError),
        (Said(status=200, kind="text/html", body=b"<p>welcome"), UsageError),
        (Said(status=409, body=b"[]"), UsageError),
        (Said(status=200, body=b'{"00081199": {"Value": [{}]}}'), UsageError),
        (Said(status=200, body=b'{"00081199": 3}'), UsageError),
        (Said(status=200, body=b"[" * 100_000), UsageError),
        (Said(status=400), UsageError),
        (Said(status=403), UsageError),
        (Said(status=404), UsageError),
        (Said(status=500), UnfinishedError),
        (Said(status=503), UnfinishedError),
        (Said(status=507), UnfinishedError),
    ],
)
def test_other_answers_end_it(instances: list[Instance], said: Said, refusal: type[PrivganError]) -> None:
    with pytest.raises(refusal):
        sent_by_stow(instances, lambda _: said)


def test_an_archive_without_room_can_be_tried_later(instances: list[Instance]) -> None:
    """What it took before that is acknowledged."""
    seen: list[Receipt] = []
    with answering(lambda request: full_after_two(uids(request.body))) as stub, pytest.raises(UnfinishedError):
        seen.extend(store_by_stow(instances, WebArchive(parse_service(stub.url), Access())))
    assert len(seen) == 2


def full_after_two(known: list[str]) -> Said:
    return response(202, known[:2], dict.fromkeys(known[2:], 0xA700))


@contextmanager
def listening(
    handler: Callable[[evt.Event], int],
    syntaxes: list[str] | None = None,
    sop_class: str = SecondaryCaptureImageStorage,
) -> Iterator[Peer]:
    """An application entity on loopback."""
    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(sop_class, syntaxes or ["1.2.840.10008.1.2.1"])
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, handler)])
    assert server is not None
    try:
        yield Peer(title="ARCHIVE", host="127.0.0.1", port=server.socket.getsockname()[1])
    finally:
        server.shutdown()


def test_an_association_carries_the_verified_bytes(instances: list[Instance]) -> None:
    """The data set arrives as it lies in the file; every kind of status is understood."""
    received: list[bytes] = []
    statuses = {0x0000: "", 0xB000: "", 0x0111: "", 0x0122: "sop_class", 0x0124: "not_authorised", 0xA900: "data_set"}
    statuses |= {0xC001: "not_understood", 0x0110: "other"}
    waiting = iter(statuses)

    def keep(event: evt.Event) -> int:
        received.append(event.request.DataSet.getvalue())
        return next(waiting)

    before = threading.active_count()
    with listening(keep) as peer:
        receipts = list(store_by_association(instances[: len(statuses)], peer, Access(timeout_s=5)))
    assert [receipt.refused for receipt in receipts] == list(statuses.values())
    files = [instance.read() for instance in instances[: len(statuses)]]
    assert all(file.endswith(found) for file, found in zip(files, received, strict=True))
    assert all(len(file) - len(found) < 600 for file, found in zip(files, received, strict=True))
    assert threading.active_count() <= before


def test_a_file_that_would_be_written_in_another_way_is_sent_as_it_is(
    instances: list[Instance], tmp_path: Path
) -> None:
    """A group length, which libraries drop when they encode a data set anew."""
    group_length = b"\x08\0\0\0UL\x04\0\x2a\0\0\0"
    head, mark, rest = instances[0].read().partition(b"\x08\0\x05\0CS")
    path = tmp_path / "old.dcm"
    path.write_bytes(head + group_length + mark + rest)
    received: list[bytes] = []
    with listening(lambda event: (received.append(event.request.DataSet.getvalue()), 0)[1]) as peer:
        old = Instance(name="old", path=path, sha256=sha256_file(path))
        assert list(store_by_association([old], peer, Access(timeout_s=5))) == [Receipt(name="old")]
    assert received == [group_length + mark + rest]


def test_an_archive_of_other_images_takes_none_of_ours(instances: list[Instance]) -> None:
    with listening(lambda _: 0, sop_class=CTImageStorage) as peer:
        receipts = list(store_by_association(instances, peer, Access(timeout_s=5)))
    assert {receipt.refused for receipt in receipts} == {"sop_class_or_transfer_syntax"}
    assert len(receipts) == len(instances)


def test_a_full_archive_ends_the_association(instances: list[Instance]) -> None:
    statuses = iter((0, 0, 0xA701))
    seen: list[Receipt] = []
    with listening(lambda _: next(statuses)) as peer, pytest.raises(UnfinishedError, match="resources"):
        seen.extend(store_by_association(instances, peer, Access(timeout_s=5)))
    assert len(seen) == 2


def test_a_file_that_changed_since_it_was_verified_is_not_sent(instances: list[Instance], tmp_path: Path) -> None:
    """Not one byte of it, by either protocol."""
    changed = tmp_path / "changed.dcm"
    content = bytearray(instances[0].read())
    content[-1] ^= 1
    changed.write_bytes(content)
    sent: list[object] = []
    edited = [Instance(name="changed", path=changed, sha256=instances[0].sha256)]
    with pytest.raises(IntegrityError, match="changed since"):
        sent_by_stow(edited, lambda request: (sent.append(request), response(200, []))[1])
    with listening(lambda event: (sent.append(event), 0)[1]) as peer:
        receipts = store_by_association(edited, peer, Access(timeout_s=5))
        with pytest.raises(IntegrityError, match="changed since"):
            next(receipts)
    assert sent == []


def test_what_is_no_dicom_has_no_identity() -> None:
    for content in (b"", b"x" * 200, bytes(128) + b"DICM", bytes(128) + b"DICM" + b"\x02\0\0\0UL\4\0"):
        with pytest.raises(IntegrityError):
            Identity.of(content)
