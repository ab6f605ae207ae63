"""T4: could someone who stole the networks tell who was in the training data?"""

from privgan_audits.questions.networks.rule import RULE
from privgan_audits.questions.networks.words import WORDS
from privgan_audits.questions.question import Question

QUESTION = Question(id="T4", package=__name__, rule=RULE, words=WORDS)
