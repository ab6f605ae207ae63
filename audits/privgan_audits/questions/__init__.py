"""The questions of an audit, a folder each: how it is measured, judged and told.

Verdict, pre-flight, report and schema are made from QUESTIONS alone: a new question is a folder and its line here.
"""

from privgan_audits.questions import (
    attributes,
    books,
    controls,
    exact_copies,
    identifiers,
    membership,
    near_copies,
    networks,
    public_copies,
    reidentification,
    resemblance,
    singling_out,
)
from privgan_audits.questions.question import Question

QUESTIONS: tuple[Question, ...] = (
    controls.QUESTION,
    exact_copies.QUESTION,
    near_copies.QUESTION,
    membership.QUESTION,
    networks.QUESTION,
    books.QUESTION,
    reidentification.QUESTION,
    attributes.QUESTION,
    resemblance.QUESTION,
    identifiers.QUESTION,
    public_copies.QUESTION,
    singling_out.QUESTION,
)
