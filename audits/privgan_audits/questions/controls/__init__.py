"""T0: would this audit have noticed a leak, and would it have stayed silent without one?"""

from privgan_audits.questions.controls.rule import RULE
from privgan_audits.questions.controls.words import WORDS
from privgan_audits.questions.question import Question

QUESTION = Question(id="T0", package=__name__, rule=RULE, words=WORDS)
