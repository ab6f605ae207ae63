"""HTTP as a DICOMweb service is spoken to: bounded answers, clocks, no redirects, and errors that name no address.

The client library dicomweb-client makes the session and checks identifiers in addresses. Its own calls are not used:
they keep whole answers in memory, encode data sets anew instead of sending a file's bytes, follow redirects, and
carry addresses in their errors.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from privgan.archive.access import Access, require_known, require_library
from privgan.archive.destination import WebService
from privgan.archive.stopping import UnfinishedError
from privgan.archive.tls import handshake_refusal, tls_refusal
from privgan.errors import UsageError

if TYPE_CHECKING:
    from requests import Response

_SLOWEST_BYTES_PER_S = 1 << 14
_CHUNK_BYTES = 1 << 16
_TOTAL = re.compile(r"[~\s]*(\d{1,12})[+\s]*")
_BUSY = (408, 429, 502, 503, 504)
_REDIRECTS = range(300, 400)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a service answered; sensitive. body: empty when `oversized`.

    more: it warned that it holds more than it gave (Warning 299, PS3.18 8.3.4.4). total: how much there is in all, if
    it says so (X-Total-Count, which some archives give, "~250" among the ways).
    """

    status: int
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)
    oversized: bool = False
    more: bool = False
    total: int | None = None


class WebArchive:
    """A DICOMweb service and a session with it."""

    def __init__(self, service: WebService, access: Access) -> None:
        """Prepare, but do not speak yet.

        Raises:
            UsageError: the extra is not installed, certificates cannot be read, or the host is unknown.
            UnfinishedError: the name service does not answer.
        """
        require_library("dicomweb_client")
        from dicomweb_client.session_utils import create_session

        if service.encrypted:
            access.tls_context()  # refuses in plain words what the library would refuse in its own
        require_known(service)
        self._service = service
        self._access = access
        self._session = create_session()
        self._session.trust_env = False
        self._session.headers["Accept-Encoding"] = "identity"
        if access.token:
            self._session.headers["Authorization"] = access.token
        if access.ca:
            self._session.verify = str(access.ca)
        if access.certificate:
            self._session.cert = (str(access.certificate), str(access.key))

    def address(self, study: str = "", series: str = "", instance: str = "") -> str:
        """The address of a study, a series or an instance, or without any of the service itself.

        Raises:
            ValueError: not the UIDs that the standard allows.
        """
        from dicomweb_client.uri import URI

        return str(URI(self._service.url, study or None, series or None, instance or None))

    def get(self, url: str, accept: str, most_bytes: int, query: Mapping[str, str] | None = None) -> Answer:
        """Ask for something; see `_exchange`."""
        return self._exchange("GET", url, {"Accept": accept}, most_bytes, query=query)

    def post(self, url: str, content_type: str, body: bytes, accept: str, most_bytes: int) -> Answer:
        """Send something; see `_exchange`."""
        return self._exchange("POST", url, {"Accept": accept, "Content-Type": content_type}, most_bytes, body=body)

    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        most_bytes: int,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """One request and its answer.

        Raises:
            UsageError: TLS or the credentials were refused, or the service is elsewhere.
            UnfinishedError: the connection failed or was lost, or the service is silent, busy or too slow.
        """
        with self._told_plainly():
            response = self._session.request(
                method,
                url,
                params=query,
                data=body,
                headers=headers,
                timeout=self._access.timeout_s,
                allow_redirects=False,
                stream=True,
            )
            with response:
                return self._read(response, most_bytes)

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        """Errors of the network without what they carry: addresses, with identifiers in them."""
        import requests
        import urllib3

        try:
            yield
        except requests.exceptions.Timeout:
            raise UnfinishedError(f"The archive did not answer within {self._access.timeout_s:g} s.") from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            refusal = tls_refusal(error)
            if refusal is None and self._service.encrypted:  # an alert may have been lost with the connection
                refusal = handshake_refusal(self._service, self._access)
            raise refusal or UnfinishedError("The connection to the archive failed or was lost.") from None

    def _read(self, response: "Response", most_bytes: int) -> Answer:
        status = response.status_code
        if status == 401:
            raise UsageError("The archive did not accept the credentials (401). Check --token-file.")
        if status in _REDIRECTS:
            raise UsageError(f"The archive wants to be spoken to elsewhere ({status}). Give that address instead.")
        if status in _BUSY:
            raise UnfinishedError(f"The archive is busy or down ({status}).")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UsageError("Expected an answer as it was asked for, the archive compressed it.")
        began, pieces, size = time.monotonic(), [], 0
        for piece in response.iter_content(_CHUNK_BYTES):
            size += len(piece)
            if size > most_bytes:
                return Answer(status=status, oversized=True)
            if time.monotonic() - began > self._access.timeout_s + size / _SLOWEST_BYTES_PER_S:
                raise UnfinishedError("The archive answers too slowly.")
            pieces.append(piece)
        total = _TOTAL.fullmatch(response.headers.get("X-Total-Count", ""))
        return Answer(
            status=status,
            content_type=response.headers.get("Content-Type", ""),
            body=b"".join(pieces),
            more=response.headers.get("Warning", "").lstrip().startswith("299"),
            total=int(total[1]) if total else None,
        )


def require_service(answer: Answer) -> None:
    """Refuse an answer that says that this is no service for us.

    Raises:
        UsageError: forbidden, no such service, or a request that it does not understand.
        UnfinishedError: the service failed.
    """
    if answer.status == 403:
        raise UsageError("The archive does not allow this (403). Check --token-file, and what it may be used for.")
    if answer.status in (404, 405, 410, 501):
        raise UsageError(f"There is no DICOMweb service at this address ({answer.status}). Check its path.")
    if answer.status >= 500:
        raise UnfinishedError(f"The archive failed ({answer.status}).")
    if answer.status >= 400:
        raise UsageError(f"The archive refuses the request ({answer.status}).")
