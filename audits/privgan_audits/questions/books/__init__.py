"""T6: is the privacy promise true to its books?"""

from privgan_audits.questions.books.rule import RULE
from privgan_audits.questions.books.words import WORDS
from privgan_audits.questions.question import Question

QUESTION = Question(id="T6", package=__name__, rule=RULE, words=WORDS)
