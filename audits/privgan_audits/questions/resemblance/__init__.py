"""T9: the customary measures of how alike synthetic and real images are."""

from privgan_audits.questions.question import Question
from privgan_audits.questions.resemblance.rule import RULE
from privgan_audits.questions.resemblance.words import WORDS

QUESTION = Question(id="T9", package=__name__, rule=RULE, words=WORDS)
