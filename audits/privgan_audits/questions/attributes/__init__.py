"""T8: can a hidden fact about a patient be read off the set?"""

from privgan_audits.questions.attributes.rule import RULE
from privgan_audits.questions.attributes.words import WORDS
from privgan_audits.questions.question import Question

QUESTION = Question(id="T8", package=__name__, rule=RULE, words=WORDS)
