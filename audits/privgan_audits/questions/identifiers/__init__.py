"""T10: do names, numbers or dates of patients hide in the files, and is what was audited what would leave?"""

from privgan_audits.questions.identifiers.rule import RULE
from privgan_audits.questions.identifiers.words import WORDS
from privgan_audits.questions.question import Question

QUESTION = Question(id="T10", package=__name__, rule=RULE, words=WORDS)
