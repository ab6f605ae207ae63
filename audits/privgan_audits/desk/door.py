"""Who may come in: whoever has the address that was printed, once, from a browser on this machine, and nobody else.

The printed token is exchanged for a cookie that no script reads and no other site makes the browser send. Cookies
know no ports: one for 127.0.0.1 goes to every server on this machine. That is why all pages, and the cookie, live
under a path that nobody can guess. A page of another site can neither read here (the Host must be ours, whatever name
leads to 127.0.0.1) nor write (the Origin must be ours, and every form carries a token).
"""

import hmac
import secrets
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from threading import Lock

from privgan.language import tr

ADDRESS = "127.0.0.1"
COOKIE = "privgan-desk"
FORM_TOKEN = "form-token"  # noqa: S105 the name of the field
_BYTES = 32


class TurnedAwayError(Exception):
    """A request that is turned away before anything was looked at; answered with the status and the sentence."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Door:
    """port: at which the desk is served. draw: a secret of so many bytes, as text that fits into an address."""

    def __init__(self, port: int, draw: Callable[[int], str] = secrets.token_urlsafe) -> None:
        self.origin = f"http://{ADDRESS}:{port}"
        self._host = f"{ADDRESS}:{port}"
        self.place, self.form_token = draw(_BYTES), draw(_BYTES)
        self._token, self._cookie = draw(_BYTES), draw(_BYTES)
        self._lock, self._used = Lock(), False

    @property
    def address(self) -> str:
        """What is printed; it opens the desk once."""
        return f"{self.origin}/{self._token}"

    @property
    def inside(self) -> str:
        """The path of the first page."""
        return f"/{self.place}/"

    def open(self, token: str) -> str:
        """Exchange the token for the content of a Set-Cookie header.

        Raises:
            TurnedAwayError: another token, or not for the first time.
        """
        with self._lock:
            if not _same(token, self._token):
                raise _stranger()
            if self._used:
                raise TurnedAwayError(
                    HTTPStatus.FORBIDDEN,
                    tr(
                        "This address opened the desk already, and does so once. If it was not you who came in, "
                        "close the desk where it was started, and look who else uses this machine."
                    ),
                )
            self._used = True
        return f"{COOKIE}={self._cookie}; Path={self.inside}; HttpOnly; SameSite=Strict"

    def require_host(self, hosts: Sequence[str]) -> None:
        """Refuse a request for another name, that somebody made lead here (DNS rebinding).

        Raises:
            TurnedAwayError: see above.
        """
        if list(hosts) != [self._host]:
            raise TurnedAwayError(
                HTTPStatus.FORBIDDEN, tr("Expected a request for {host}, got one for another host.", host=self._host)
            )

    def require_cookie(self, headers: Sequence[str]) -> None:
        """Refuse whoever did not bring the cookie.

        Raises:
            TurnedAwayError: see above.
        """
        for header in headers:
            try:
                morsel = SimpleCookie(header).get(COOKIE)
            except CookieError:
                continue
            if morsel is not None and _same(morsel.value, self._cookie):
                return
        raise _stranger()

    def require_own_form(self, origins: Sequence[str], token: str) -> None:
        """Refuse a form that this desk did not show (cross-site request forgery).

        Raises:
            TurnedAwayError: see above.
        """
        if list(origins) != [self.origin] or not _same(token, self.form_token):
            raise TurnedAwayError(HTTPStatus.FORBIDDEN, tr("Expected a form of this desk, got one from elsewhere."))


def _same(given: str, own: str) -> bool:
    """In the same time, whatever was given."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), own.encode())


def _stranger() -> TurnedAwayError:
    return TurnedAwayError(
        HTTPStatus.FORBIDDEN,
        tr("Expected the address that 'privgan desk' printed, or the browser in which it was opened."),
    )
