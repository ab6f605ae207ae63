"""The desk over HTTP, on 127.0.0.1 alone: bounds on what comes in, headers on what goes out, and an end.

Python's own server is enough for one person on one machine: no package more to trust. It logs nothing, keeps nothing,
and answers HTTP/1.0, a connection for each request.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from privgan_audits.desk.door import ADDRESS, TurnedAwayError

MOST_BYTES = 1 << 16  # of a form; the largest one that the desk shows has a few thousand
_MOST_FIELDS = 200
_SOCKET_SECONDS, _POLL_SECONDS = 15, 0.25
_FORM = "application/x-www-form-urlencoded"
_HEADERS = {
    "Cache-Control": "no-store",
    # Not no-referrer: browsers would then say of our own forms that they come from nowhere (Origin: null).
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, kw_only=True)
class Form:
    """What was sent, texts by field. Sensitive: there may be a passphrase among them."""

    fields: Mapping[str, list[str]] = field(default_factory=dict, repr=False)

    def one(self, name: str) -> str:
        """The text of a field; empty where it is missing."""
        return self.fields.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """The texts of all fields of that name."""
        return self.fields.get(name, [])


@dataclass(frozen=True, kw_only=True)
class Request:
    """method: GET or POST. path: without the address. headers: each header's values; see `of`."""

    method: str
    path: str
    headers: Callable[[str], list[str]]
    form: Form


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A page, or the way to another one. csp: the page's content security policy. ends: the desk closes after it."""

    status: HTTPStatus = HTTPStatus.OK
    page: str = ""
    csp: str = "default-src 'none'; frame-ancestors 'none'"
    location: str = ""
    cookie: str = ""
    ends: bool = False


class DeskServer(ThreadingHTTPServer):
    """Serves until an answer ends it, or nobody asked for anything for so many seconds."""

    daemon_threads = True  # a browser keeps connections open that it never uses

    def __init__(self) -> None:
        super().__init__((ADDRESS, 0), _Handler)
        self.answer: Callable[[Request], Answer] = lambda _: Answer(status=HTTPStatus.SERVICE_UNAVAILABLE)
        self.ended, self.last_request = False, time.monotonic()
        self.timeout = _POLL_SECONDS

    def serve(self, answer: Callable[[Request], Answer], idle_seconds: float) -> None:
        """Answer until the end."""
        self.answer, self.last_request = answer, time.monotonic()
        while not self.ended and time.monotonic() - self.last_request < idle_seconds:
            self.handle_request()

    def heard(self, answer: Answer) -> None:
        """Somebody who may come in was here; strangers keep no desk open."""
        if answer.status is not HTTPStatus.FORBIDDEN:
            self.last_request = time.monotonic()
        self.ended = self.ended or answer.ends

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is no news, and a traceback could hold what was typed."""


class _Handler(BaseHTTPRequestHandler):
    server: DeskServer
    timeout = _SOCKET_SECONDS

    def version_string(self) -> str:
        return "privgan"

    def log_message(self, *_: Any) -> None:
        """Nothing: paths hold tokens."""

    def do_GET(self) -> None:
        self._handle("GET")

    def do_POST(self) -> None:
        self._handle("POST")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """What http.server itself refuses, without repeating what came."""
        self._send(Answer(status=HTTPStatus(code)))

    def _handle(self, method: str) -> None:
        try:
            form = self._form() if method == "POST" else Form()
            request = Request(method=method, path=self.path, headers=self._values, form=form)
        except TurnedAwayError as refused:
            self._send(Answer(status=refused.status, page=str(refused)))
            return
        answer = self.server.answer(request)
        try:
            self._send(answer)
        finally:
            self.server.heard(answer)

    def _values(self, name: str) -> list[str]:
        return [str(value) for value in self.headers.get_all(name, [])]

    def _form(self) -> Form:
        lengths = self._values("Content-Length")
        if len(lengths) != 1 or not lengths[0].isascii() or not lengths[0].isdigit():
            raise TurnedAwayError(HTTPStatus.LENGTH_REQUIRED, "Expected a form of known length.")
        if len(lengths[0]) > 9 or int(lengths[0]) > MOST_BYTES:
            raise TurnedAwayError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Expected a form of at most {MOST_BYTES} bytes."
            )
        if self._values("Content-Type") != [_FORM]:
            raise TurnedAwayError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Expected a form as {_FORM}.")
        content = self.rfile.read(int(lengths[0]))
        try:
            sent = parse_qs(
                content.decode("ascii"),
                keep_blank_values=True,
                strict_parsing=True,
                errors="strict",
                max_num_fields=_MOST_FIELDS,
            )
        except ValueError:
            raise TurnedAwayError(HTTPStatus.BAD_REQUEST, "Expected a form as a browser sends it.") from None
        return Form(fields=sent)

    def _send(self, answer: Answer) -> None:
        content = answer.page.encode("utf-8", "replace")  # a record may hold what is no text
        self.send_response(answer.status)
        if answer.location:
            self.send_header("Location", answer.location)
        if answer.cookie:
            self.send_header("Set-Cookie", answer.cookie)
        kind = "text/html" if answer.page.startswith("<!doctype html>") else "text/plain"
        headers = {"Content-Type": f"{kind}; charset=utf-8", "Content-Security-Policy": answer.csp, **_HEADERS}
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
