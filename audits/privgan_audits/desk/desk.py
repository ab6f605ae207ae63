"""The desk itself: which request leads to which page, one request at a time, from the first report to the last."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from http import HTTPStatus
from pathlib import Path
from threading import Lock

from privgan.errors import PrivganError, UsageError
from privgan.language import retold, speaking, tr
from privgan.seals import is_encrypted
from privgan_audits.desk import views
from privgan_audits.desk.door import FORM_TOKEN, Door, TurnedAwayError
from privgan_audits.desk.leading import READ, STAGES, Go, Way, show, show_refused
from privgan_audits.desk.page import Frame, Notice, Overview, Page, Signed
from privgan_audits.desk.render import render
from privgan_audits.desk.reports import ReportOnDesk, lay_out
from privgan_audits.desk.server import Answer, DeskServer, Request
from privgan_audits.desk.sitting import Sitting

_CLOSE = "close"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a desk is opened with.

    reports: folders of audits. cohorts: whose ledgers are asked. key: the officer's. force: approvals may be
    replaced. language: of the pages. idle_minutes: without a request, after which the desk closes.
    """

    reports: tuple[Path, ...]
    key: Path
    cohorts: tuple[Path, ...] = ()
    force: bool = False
    language: str = "en"
    idle_minutes: float = 30.0

    def __post_init__(self) -> None:
        if not self.reports:
            raise UsageError("Expected a report to decide about, got none.")
        if not 0 < self.idle_minutes <= 24 * 60:
            raise UsageError(f"Expected idle minutes above 0 and at most a day's, got {self.idle_minutes:g}.")
        with speaking(self.language):
            is_encrypted(self.key)  # a key that cannot be opened is known before anybody reads


class Desk:
    """The reports in their sittings.

    door: who may come in. today: UTC. explain: one sentence for an error that nobody expected.
    """

    def __init__(
        self, setting: Setting, door: Door, *, today: Callable[[], date], explain: Callable[[BaseException], str]
    ) -> None:
        self.sittings = tuple(
            Sitting(report, setting.key, force=setting.force) for report in lay_out(setting.reports, setting.cohorts)
        )
        self._door, self._today, self._explain, self._language = door, today, explain, setting.language
        self._lock, self._closed = Lock(), False

    def close(self) -> None:
        """Take no further request; what has begun is finished first."""
        with self._lock:
            self._closed = True

    def answer(self, request: Request) -> Answer:
        """The answer to one request; it never raises."""
        with self._lock, speaking(self._language):
            try:
                return self._answer(request)
            except TurnedAwayError as refused:
                return self._notice(str(refused), refused.status)
            except PrivganError as error:
                return self._notice(retold(str(error)), HTTPStatus.CONFLICT)
            except Exception as error:  # noqa: BLE001 its message may hold a patient's value, and is not shown
                return self._notice(retold(self._explain(error)), HTTPStatus.INTERNAL_SERVER_ERROR)

    def _answer(self, request: Request) -> Answer:
        if self._closed:
            raise TurnedAwayError(HTTPStatus.SERVICE_UNAVAILABLE, tr("The desk is closed."))
        self._door.require_host(request.headers("Host"))
        place, _, rest = request.path.removeprefix("/").partition("/")
        if request.method == "GET" and not rest and place != self._door.place:
            cookie = self._door.open(place)
            # Not a redirect: after a click in another site's page a browser would not bring the cookie along.
            return replace(self._notice(tr("The desk is open."), onward=self._door.inside), cookie=cookie)
        self._door.require_cookie(request.headers("Cookie"))
        if place != self._door.place:
            raise _no_such_page()
        if request.method == "POST":
            self._door.require_own_form(request.headers("Origin"), request.form.one(FORM_TOKEN))
        return self._inside(request, rest)

    def _inside(self, request: Request, rest: str) -> Answer:
        if not rest and request.method == "GET":
            return self._first()
        if rest == _CLOSE and request.method == "POST":
            return replace(self._notice(tr("The desk is closed. You may close this window.")), ends=True)
        number, _, step = rest.partition("/")
        places = {str(index): sitting for index, sitting in enumerate(self.sittings, start=1)}
        if number not in places or step not in STAGES:
            raise _no_such_page()
        return self._step(request, self._way(number), places[number], step)

    def _step(self, request: Request, way: Way, sitting: Sitting, step: str) -> Answer:
        if request.method == "GET":
            return self._to(show(way, sitting, step))
        taken = STAGES[step].take
        if taken is None or sitting.outcome is not None:
            raise TurnedAwayError(HTTPStatus.CONFLICT, tr("Nothing more is decided here."))
        try:
            return self._to(taken(way, sitting, request.form))
        except PrivganError as error:
            page = show(way, sitting, step)
            if isinstance(page, Go):
                raise
            return self._to(show_refused(page, request.form, retold(str(error))), HTTPStatus.UNPROCESSABLE_ENTITY)

    def _first(self) -> Answer:
        if len(self.sittings) == 1:
            return self._to(self._way("1").go(READ))
        today, on_desk = self._today(), [sitting.report.cohort for sitting in self.sittings]
        cohorts = {cohort.folder: cohort for cohort in on_desk if cohort}
        cards = [
            views.card(sitting.report, sitting.report.read(), self._way(str(number)).to(READ), today)
            for number, sitting in enumerate(self.sittings, start=1)
        ]
        frame = Frame(title=tr("Which of these sets may leave?"), close=self._close, form_token=self._door.form_token)
        return self._to(Overview(frame=frame, cards=tuple(cards), spent=tuple(map(views.spent, cohorts.values()))))

    @property
    def _close(self) -> str:
        return self._door.inside + _CLOSE

    def _way(self, number: str) -> Way:
        return Way(
            home=self._door.inside + number,
            overview=self._door.inside if len(self.sittings) > 1 else "",
            close=self._close,
            form_token=self._door.form_token,
            today=self._today(),
        )

    def _to(self, page: Page | Go, status: HTTPStatus = HTTPStatus.OK) -> Answer:
        if isinstance(page, Go):
            return Answer(status=HTTPStatus.SEE_OTHER, location=page.path)
        ends = isinstance(page, Signed) and not any(map(self._is_open, self.sittings))
        if ends:
            closed = tr("Nothing is left to decide: the desk is closed. You may close this window.")
            page = replace(page, frame=replace(page.frame, closed=closed, overview="", close=""))
        rendered = render(page)
        return Answer(status=status, page=rendered.html, csp=rendered.csp, ends=ends)

    def _is_open(self, sitting: Sitting) -> bool:
        report: ReportOnDesk = sitting.report
        try:
            return report.standing(report.read(), self._today()).is_open
        except PrivganError:
            return False

    def _notice(self, sentence: str, status: HTTPStatus = HTTPStatus.OK, onward: str = "") -> Answer:
        title = tr("The officer's desk") if status == HTTPStatus.OK else tr("This was refused")
        return self._to(Notice(frame=Frame(title=title), sentences=(sentence,), onward=onward), status)


def _no_such_page() -> TurnedAwayError:
    return TurnedAwayError(HTTPStatus.NOT_FOUND, tr("There is no such page on this desk."))


def sit_down(
    setting: Setting,
    *,
    today: Callable[[], date],
    explain: Callable[[BaseException], str],
    announce: Callable[[str], None],
) -> Sequence[Sitting]:
    """Open a desk, announce its address, and stay until everything is decided, nobody comes, or Ctrl-C.

    Args:
        setting: what lies on it.
        today: the day, UTC.
        explain: see `Desk`.
        announce: is given the address, which opens the desk once.

    Returns:
        The sittings in the order of the reports, each with its outcome.

    Raises:
        UsageError, IntegrityError, BudgetError: a report, a cohort or the key cannot be used; nothing was served.
    """
    with DeskServer() as server:
        door = Door(server.server_port)
        desk = Desk(setting, door, today=today, explain=explain)
        announce(door.address)
        try:
            server.serve(desk.answer, 60 * setting.idle_minutes)
        except KeyboardInterrupt:
            pass  # how a person at a terminal closes it
        finally:
            desk.close()
    return desk.sittings
