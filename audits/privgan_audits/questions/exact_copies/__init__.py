"""T1: is a real image among the synthetic ones?"""

from privgan_audits.questions.exact_copies.rule import RULE
from privgan_audits.questions.exact_copies.words import WORDS
from privgan_audits.questions.question import Question

QUESTION = Question(id="T1", package=__name__, rule=RULE, words=WORDS)
