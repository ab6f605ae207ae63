"""The way through a decision: what each step shows, what it takes, and where it leads.

Read, look, say, sign; and at every step a no. Whoever asks for a later step is led to the first that is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from privgan.language import retold, to_tr, tr
from privgan_audits.desk import views
from privgan_audits.desk.page import Frame, Looking, Page, Question, Reading, Refusing, Saying, Signed, Signing, Step
from privgan_audits.desk.server import Form
from privgan_audits.desk.sitting import Sitting
from privgan_audits.release.render_again import sign_off
from privgan_audits.report.front import front, warnings_of
from privgan_audits.report.pictures import pictures_of
from privgan_audits.report.words import frame as words

READ, LOOK, SAY, SIGN, NO = "", "pairs", "words", "sign", "no"
_NAMES = {
    READ: to_tr("What it is"),
    LOOK: to_tr("The closest pairs"),
    SAY: to_tr("Your words"),
    SIGN: to_tr("Signature"),
}


@dataclass(frozen=True, kw_only=True)
class Go:
    """To the page with this path."""

    path: str


@dataclass(frozen=True, kw_only=True)
class Way:
    """home: the path of this report's first page. overview: of all reports; empty where there is one.

    close: the path at which the desk closes. form_token: for every form.
    """

    home: str
    overview: str
    close: str
    form_token: str
    today: date

    def to(self, step: str) -> str:
        """The path of a step."""
        return f"{self.home}/{step}" if step else self.home

    def go(self, step: str) -> Go:
        """To a step."""
        return Go(path=self.to(step))

    def frame(self, sitting: Sitting, step: str, title: str, subtitle: str = "") -> Frame:
        """What stands around the page of a step."""
        reached = [READ] + [SAY] * (sitting.review is not None) + [SIGN] * (sitting.draft is not None)
        steps = tuple(
            Step(name=tr(name), link=self.to(key) if key in reached and key != step else "", here=key == step)
            for key, name in _NAMES.items()
        )
        return Frame(
            title=title,
            subtitle=subtitle,
            steps=() if step == NO else steps,
            overview=self.overview,
            close=self.close,
            form_token=self.form_token,
        )


def _read(way: Way, sitting: Sitting) -> Page | Go:
    report, record = sitting.report, sitting.report.read()
    told, decided = front(record), tuple(sign_off(report.folder, report.sha256))
    obstacle = sitting.obstacle()
    refusable = sitting.outcome is None and not report.standing(record, way.today).is_final
    return Reading(
        frame=way.frame(sitting, READ, views.title_of(record), told.subtitle),
        front=told,
        about=tuple(views.about(report, record)),
        spent=tuple(views.spent(report.cohort) for _ in [0] if report.cohort),
        decided=decided,
        obstacle=retold(obstacle),
        onward="" if obstacle else way.to(LOOK if sitting.review is None else SAY),
        refuse=way.to(NO) if refusable else "",
        not_covered=tuple(map(tr, words.NOT_COVERED)),
    )


def _look(way: Way, sitting: Sitting) -> Page | Go:
    if sitting.review is not None:
        return way.go(SAY)
    record = sitting.report.read()
    gallery = sitting.report.gallery(record)
    gone = tr(words.NO_GALLERY) if record["gallery_sha256"] else tr("This audit had no pairs to show.")
    return Looking(
        frame=way.frame(sitting, LOOK, tr("Which of these are the same patient?"), views.title_of(record)),
        pictures=pictures_of(gallery) if gallery else None,
        missing="" if gallery else gone,
        refuse=way.to(NO),
    )


def _say(way: Way, sitting: Sitting) -> Page | Go:
    if sitting.review is None:
        return way.go(LOOK)
    record = sitting.report.read()
    gallery = sitting.report.gallery(record)
    return Saying(
        frame=way.frame(sitting, SAY, tr("For whom, what for, and until when?"), views.title_of(record)),
        ticked=tuple(views.ticked(sitting.review)),
        worrying=sitting.review.is_worrying,
        key=views.key_of(gallery, sitting.review.ticks) if gallery else None,
        warnings=tuple(warnings_of(record)),
        questions=tuple(views.words_asked(record["overrides"], way.today)),
        refuse=way.to(NO),
    )


def _sign(way: Way, sitting: Sitting) -> Page | Go:
    if sitting.draft is None:
        return way.go(SAY)
    record = sitting.report.read()
    return Signing(
        frame=way.frame(sitting, SIGN, tr("You are about to sign"), views.title_of(record)),
        facts=sitting.draft.facts,
        warnings=sitting.draft.warnings,
        draft=sitting.draft_sha256,
        questions=tuple(views.signature_asked(sitting.draft.confirmation, sitting.key_name)),
        refuse=way.to(NO),
    )


def _refuse(way: Way, sitting: Sitting) -> Page | Go:
    record = sitting.report.read()
    return Refusing(
        frame=way.frame(sitting, NO, tr("Say no to this set, for good"), views.title_of(record)),
        questions=tuple(views.no_asked(sitting.key_name)),
        back=way.to(READ),
    )


def _tick(way: Way, sitting: Sitting, form: Form) -> Page | Go:
    sitting.tick(form)
    return way.go(SAY)


def _words(way: Way, sitting: Sitting, form: Form) -> Page | Go:
    sitting.say(form, way.today)
    return way.go(SIGN)


def _signature(way: Way, sitting: Sitting, form: Form) -> Page | Go:
    frame = way.frame(sitting, NO, tr("What was signed"), views.title_of(sitting.report.read()))
    signed = sitting.sign(form)
    return Signed(
        frame=frame,
        facts=tuple(views.signed_facts(sitting.report, signed)),
        headline=tr("Approved until {day}.", day=signed.approval.grant.until),
        follows=(
            tr("Whoever releases goes on with: privgan release, with this report, its cohort and its run."),
            tr("If you change your mind: privgan revoke. What left already cannot be called back."),
        ),
        tone="pass",
    )


def _no(way: Way, sitting: Sitting, form: Form) -> Page | Go:
    frame = way.frame(sitting, NO, tr("What was signed"), views.title_of(sitting.report.read()))
    found = sitting.reject(form, way.today)
    return Signed(
        frame=frame,
        facts=tuple(views.rejected_facts(sitting.report, found)),
        headline=tr("Rejected, for good, and remembered by the cohort's ledger."),
        follows=(tr("For a release another set is generated and audited; drawing costs no privacy."),),
        tone="fail",
    )


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A step: its page, and what its form does."""

    show: Callable[[Way, Sitting], Page | Go]
    take: Callable[[Way, Sitting, Form], Page | Go] | None = None


STAGES: Mapping[str, Stage] = {
    READ: Stage(show=_read),
    LOOK: Stage(show=_look, take=_tick),
    SAY: Stage(show=_say, take=_words),
    SIGN: Stage(show=_sign, take=_signature),
    NO: Stage(show=_refuse, take=_no),
}


def show(way: Way, sitting: Sitting, step: str) -> Page | Go:
    """The page of a step; once decided, of what was decided."""
    return way.go(READ) if sitting.outcome and step != READ else STAGES[step].show(way, sitting)


def show_refused(page: Page, form: Form, refusal: str) -> Page:
    """The same page with what was wrong; what was typed stays, secrets aside."""
    framed = replace(page, frame=replace(page.frame, refusal=refusal))
    if isinstance(framed, Saying | Signing | Refusing):
        return replace(framed, questions=tuple(_kept(question, form) for question in framed.questions))
    return framed


def _kept(question: Question, form: Form) -> Question:
    return question if question.kind == "password" else replace(question, value=form.one(question.name))
