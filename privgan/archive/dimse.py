"""C-STORE (PS3.4 annex B): one association, one file after another, each acknowledged before the next. And C-ECHO."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from privgan.archive.access import Access, require_known, require_library
from privgan.archive.destination import Peer
from privgan.archive.instance import OUT_OF_RESOURCES, Identity, Instance, Receipt, judged
from privgan.archive.stopping import UnfinishedError
from privgan.archive.tls import handshake_refusal
from privgan.errors import UsageError
from privgan.language import to_tr

if TYPE_CHECKING:
    from pynetdicom.association import Association
    from pynetdicom.events import Event

OWN_TITLE = "PRIVGAN"
_UNACCEPTED = "sop_class_or_transfer_syntax"  # archives do not agree on how to tell the two apart
_VERIFICATION = ("1.2.840.10008.1.1", "1.2.840.10008.1.2")  # and Implicit VR Little Endian, which all must know
_MOST_CONTEXTS = 128  # PS3.8 9.3.2.2: odd numbers of one byte
# PS3.8 table 9-21: (source, reason) of a rejection that time alone does not mend.
_REJECTIONS = to_tr(
    {
        (1, 3): (
            "The archive does not know our AE title. Give one that it knows with --calling, or have it entered there."
        ),
        (1, 7): "The archive has another AE title than the one that was called. Check the part before the @.",
        (1, 2): "The archive does not know the DICOM application context.",
        (2, 2): "The archive speaks another version of the DICOM protocol.",
    }
)


def store_by_association(instances: Sequence[Instance], peer: Peer, access: Access) -> Iterator[Receipt]:
    """Send files; memory holds one.

    Yields:
        One receipt an instance, as the archive acknowledges it.

    Raises:
        IntegrityError: a file is not what was verified.
        UsageError: the archive does not want to talk to us.
        UnfinishedError: the archive cannot go on now.
    """
    if not instances:
        return
    require_library("pynetdicom")
    from pynetdicom import _config

    # A file is sent as it lies on the disk, never encoded anew; and nobody is told what is in it.
    _config.STORE_SEND_CHUNKED_DATASET, _config.LOG_HANDLER_LEVEL = True, "none"
    kinds = {(identity.sop_class, identity.transfer_syntax) for identity in map(_identity, instances)}
    with _association(peer, access, sorted(kinds)) as association, TemporaryDirectory() as folder:
        copy = Path(folder) / "instance"
        for instance in instances:
            copy.write_bytes(instance.read())
            yield Receipt(name=instance.name, refused=_store(copy, association))


def require_echo(peer: Peer, access: Access) -> None:
    """Ask whether an archive is there and talks to us (C-ECHO, PS3.4 annex A); nothing of a set is said.

    Raises:
        UsageError: it does not want to talk to us.
        UnfinishedError: it cannot be reached, or does not answer.
    """
    require_library("pynetdicom")
    with _association(peer, access, [_VERIFICATION]) as association:
        status = association.send_c_echo() if association.accepted_contexts else None
        if not status or status.get("Status") != 0:
            raise UnfinishedError("The archive took the association and did not answer a C-ECHO.")


def _identity(instance: Instance) -> Identity:
    return Identity.of(instance.read())


def _store(file: Path, association: "Association") -> str:
    """Why the archive refuses a file; empty when it has it."""
    if not association.accepted_contexts:
        return _UNACCEPTED
    try:
        status = association.send_c_store(file)
    except ValueError:
        return _UNACCEPTED
    except RuntimeError:
        status = None
    if not status or "Status" not in status:
        raise UnfinishedError("The archive did not acknowledge in time, or the connection was lost.")
    refused = judged(int(status.Status))
    if refused == OUT_OF_RESOURCES:
        raise UnfinishedError("The archive is out of resources.")
    return refused


@contextmanager
def _association(peer: Peer, access: Access, kinds: Sequence[tuple[str, str]]) -> Iterator["Association"]:
    """An association, released when all went well; however the block ends, its threads end, too."""
    from pynetdicom import AE, evt

    address = require_known(peer)
    context = access.tls_context() if access.tls else None
    if context and (refusal := handshake_refusal(peer, access)):
        raise refusal  # the library does not say why its own handshake failed
    entity = AE(ae_title=access.calling or OWN_TITLE)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = access.timeout_s
    entity.connection_timeout = access.timeout_s
    for sop_class, transfer_syntax in kinds[:_MOST_CONTEXTS]:
        entity.add_requested_context(sop_class, transfer_syntax)
    begun: list[Association] = []

    def set_socket(event: "Event") -> None:
        # The library waits for ever for a peer that no longer reads, and its small messages for each other.
        if (connection := event.assoc.dul.socket) and connection.socket:
            connection.socket.settimeout(access.timeout_s)
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    try:
        association = entity.associate(
            address,
            peer.port,
            ae_title=peer.title,
            tls_args=(context, peer.host) if context else None,
            evt_handlers=[
                (evt.EVT_REQUESTED, lambda event: begun.append(event.assoc)),
                (evt.EVT_CONN_OPEN, set_socket),
            ],
        )
        if not association.is_established and not association.rejected_contexts:
            raise _refusal(association)
        yield association
        association.release()
    finally:
        for association in begun:
            association.dul.kill_dul()
            association.kill()


def _refusal(association: "Association") -> UsageError | UnfinishedError:
    said = association.acceptor.primitive
    if association.is_rejected and said is not None:
        reason = _REJECTIONS.get((said.result_source or 0, said.diagnostic or 0))
        if reason:
            return UsageError(reason)
        if said.result == 1:
            return UsageError("The archive rejected the association for good. Ask who runs it.")
        return UnfinishedError("The archive rejected the association for now.")
    return UnfinishedError("The archive could not be reached, or gave no association in time.")
