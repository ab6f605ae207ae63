"""T7: can another image of a patient be recognised in the set?"""

from privgan_audits.questions.question import Question
from privgan_audits.questions.reidentification.rule import RULE
from privgan_audits.questions.reidentification.words import WORDS

QUESTION = Question(id="T7", package=__name__, rule=RULE, words=WORDS)
