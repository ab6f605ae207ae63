"""T12: does a record in the set single out a patient, without any image?"""

from privgan_audits.questions.question import Question
from privgan_audits.questions.singling_out.rule import RULE
from privgan_audits.questions.singling_out.words import WORDS

QUESTION = Question(id="T12", package=__name__, rule=RULE, words=WORDS)
