"""T11: is a public image, from which the generator learned besides, among the synthetic ones?"""

from privgan_audits.questions.public_copies.rule import RULE
from privgan_audits.questions.public_copies.words import WORDS
from privgan_audits.questions.question import Question

QUESTION = Question(id="T11", package=__name__, rule=RULE, words=WORDS)
