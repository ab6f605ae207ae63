"""T3: can someone tell who was in the training data?"""

from privgan_audits.questions.membership.rule import RULE
from privgan_audits.questions.membership.words import WORDS
from privgan_audits.questions.question import Question

QUESTION = Question(id="T3", package=__name__, rule=RULE, words=WORDS)
