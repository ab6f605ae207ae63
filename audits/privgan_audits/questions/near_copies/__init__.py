"""T2: do synthetic images come closer to members than to other patients?"""

from privgan_audits.questions.near_copies.rule import RULE
from privgan_audits.questions.near_copies.words import WORDS
from privgan_audits.questions.question import Question

QUESTION = Question(id="T2", package=__name__, rule=RULE, words=WORDS)
