"""The desk as a process, and somebody who visits it with a plain HTTP client."""

import atexit
import json
import os
import re
import shutil
import signal
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.cookiejar import CookieJar
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from privgan import seals
from privgan_audits.report.gallery import write_gallery
from tests.audits.releasing import Gate, Record, make_gate
from tests.audits.report.recorded import GALLERY
from tests.cli.conftest import as_expected, environment
from tests.cli.forking import Warm, warm

LOADED = ("privgan_audits.desk.desk", "matplotlib.backends.backend_svg", "matplotlib.figure")
PASSPHRASE = "a horse, a battery, a staple"  # noqa: S105 of a key that is made for a test
OTHERS = [str(number) for number, pair in enumerate(GALLERY.blinded, start=1) if pair.side != "member"]
MEMBERS = [str(number) for number, pair in enumerate(GALLERY.blinded, start=1) if pair.side == "member"]


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def next_month() -> str:
    return (datetime.now(UTC).date() + timedelta(days=30)).isoformat()


def words(**changed: str) -> dict[str, str]:
    """What an officer says of the set, whose audit had one safeguard off."""
    said = {"officer": "Dr. Ada Byron", "purpose": "teaching", "recipient": "Anytown University"}
    return {**said, "reason-0": "it is small", "until": next_month(), **changed}


def pictured(gate: Gate, **changed: Any) -> None:
    """Audit, with pairs to look at."""
    shutil.rmtree(gate.root / "report", ignore_errors=True)
    (gate.root / "report").mkdir()
    digest = write_gallery(gate.root / "report", GALLERY)

    def change(record: Record) -> None:
        record.update(gallery_sha256=digest, **changed)

    gate.audit(change)


def make_desk_gate(root: Path, *, locked: bool = False) -> Gate:
    """Audited, with pairs to look at and the officer's key pinned. locked: that key has a passphrase."""
    gate = make_gate(root, officer="officer")
    pictured(gate)
    if locked:
        path = root / "officer.key"
        path.write_bytes(seals._private_pem(seals.load_private_key(path), PASSPHRASE.encode()))
    return gate


@dataclass(frozen=True)
class Seen:
    """One answer."""

    status: int
    url: str
    text: str
    headers: dict[str, str]

    @property
    def step(self) -> str:
        """The last part of the address: which page it is."""
        return self.url.rpartition("/")[2]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Visitor:
    """A browser without a screen. origin: of the desk. home: the address of the first page."""

    origin: str
    home: str = ""
    hidden: dict[str, str] = field(default_factory=dict)
    jar: CookieJar = field(default_factory=CookieJar)

    def fetch(self, url: str, fields: dict[str, Any] | None = None, *, follow: bool = True, **headers: str) -> Seen:
        """GET, or POST of fields; a header by its name with _ for -, none where it is empty."""
        sent = None if fields is None else urllib.parse.urlencode(fields, doseq=True).encode()
        given = {"Origin": self.origin} if fields is not None else {}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        assert url.startswith("http://127.0.0.1:")
        request = urllib.request.Request(url, sent, {name: value for name, value in given.items() if value})  # noqa: S310
        parts = [urllib.request.HTTPCookieProcessor(self.jar), *([] if follow else [_Stay()])]
        try:
            with urllib.request.build_opener(*parts).open(request, timeout=300) as answer:
                return self._seen(answer)
        except urllib.error.HTTPError as error:
            return self._seen(error)

    def _seen(self, answer: Any) -> Seen:
        text = answer.read().decode()
        if found := re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)">', text):
            self.hidden = dict(found)
        return Seen(status=answer.status, url=answer.url, text=text, headers=dict(answer.headers))

    def enter(self, address: str) -> Seen:
        """Open the address that was printed."""
        door = self.fetch(address)
        onward = re.search(r'http-equiv="refresh" content="0; url=(/[^"]+/)"', door.text)
        assert onward, door.text
        seen = self.fetch(self.origin + onward.group(1))
        self.home = seen.url
        return seen

    def look(self, step: str = "") -> Seen:
        """A page of the report."""
        return self.fetch(f"{self.home}/{step}" if step else self.home)

    def send(self, step: str, **fields: Any) -> Seen:
        """A form, with what was hidden in the last page that had one."""
        return self.fetch(f"{self.home}/{step}", {**self.hidden, **fields})


@dataclass
class OpenDesk:
    """A desk that runs, and its visitor, who has not come in yet."""

    desks: Warm
    process: int
    address: str
    visitor: Visitor
    over: bool = False

    def closed(self, code: int = 0) -> dict[str, Any]:
        """What it said once it ended by itself, with this exit code."""
        done, self.over = self.desks.wait(self.process), True
        as_expected(done, code)
        assert done.stderr.partition("\n")[2] == "", "nothing is logged"
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def interrupt(self) -> None:
        """Ctrl-C."""
        os.kill(self.process, signal.SIGINT)


@cache
def _desks() -> Warm:
    """What all desks of these tests are forks of."""
    ending = ExitStack()
    atexit.register(ending.close)
    folder = Path(ending.enter_context(TemporaryDirectory()))
    return ending.enter_context(warm(folder, environment(), light=LOADED))


@contextmanager
def open_desk(
    gate: Gate,
    *options: object,
    reports: tuple[str, ...] = ("report",),
    cohort: bool = True,
    desks: Warm | None = None,
) -> Iterator[OpenDesk]:
    """`privgan desk` over reports of a gate, with its cohort unless told otherwise. desks: what it is a fork of."""
    folders = [gate.root / report for report in reports]
    line = ["desk", *folders, "--key", gate.root / "officer.key"]
    line += ["--cohort", gate.root / "cohort"] if cohort else []
    desks = desks or _desks()
    process = desks.start(*line, "--json", "--quiet", *options)
    opened = OpenDesk(desks=desks, process=process, address="", visitor=Visitor(origin=""))
    try:
        opened.address = _address(desks.said(process), time.monotonic() + 120)
        opened.visitor.origin = opened.address.rpartition("/")[0]
        yield opened
    finally:
        if not opened.over:
            os.kill(process, signal.SIGKILL)
            desks.wait(process)


def _address(said: Path, until: float) -> str:
    """The one that a desk prints first on its stderr, a file."""
    while not (found := re.search(r"http://127\.0\.0\.1:\d+/\S+(?=\n)", said.read_text() if said.exists() else "")):
        assert time.monotonic() < until, "there is no address"
        time.sleep(0.01)
    return found.group()
