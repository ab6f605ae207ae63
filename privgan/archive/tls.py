"""Why TLS failed, in words that say what to do; whether it failed is the libraries' business."""

import socket
import ssl
from collections.abc import Iterator

from privgan.archive.access import Access, require_known
from privgan.archive.destination import Peer, WebService
from privgan.errors import UsageError

_ALERT_WAIT_S = 0.3


def handshake_refusal(destination: WebService | Peer, access: Access) -> UsageError | None:
    """What is wrong with TLS, found by one handshake; None if nothing is, or if nobody is there.

    An archive that misses our certificate says so only after the handshake (TLS 1.3), so we listen for a moment.

    Raises:
        UsageError, UnfinishedError: see `Access.tls_context` and `require_known`.
    """
    context, address = access.tls_context(), require_known(destination)
    try:
        plain = socket.create_connection((address, destination.port), access.timeout_s)
    except OSError:
        return None
    try:
        with plain, context.wrap_socket(plain, server_hostname=destination.host) as connection:
            connection.settimeout(min(_ALERT_WAIT_S, access.timeout_s))
            connection.recv(1)
    except TimeoutError:
        return None
    except OSError as error:
        return tls_refusal(error) or _refused()  # hanging up on a handshake is an answer, too
    return None


def tls_refusal(error: BaseException) -> UsageError | None:
    """The refusal if TLS is what failed; None if the connection was lost in any other way."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UsageError(
                "TLS: the archive's certificate is not one that is trusted here, or it is for another name. "
                "Give the certificate of its authority with --ca."
            )
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return _refused()
    return None


def _refused() -> UsageError:
    return UsageError("TLS: the archive refused, or does not speak TLS here. Check the port and --client-cert.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and everything that it was made of."""
    waiting, seen = [error], set[int]()
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        inner = (getattr(found, "reason", None), found.__cause__, found.__context__, *found.args)
        waiting += [cause for cause in inner if isinstance(cause, BaseException)]
