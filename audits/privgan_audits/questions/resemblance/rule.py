"""T9 is never judged: a generator of low variety looks like a copyist to it, and a blurred one hides its copies."""

from privgan_audits.questions.rule import INFORMATIVE

RULE = INFORMATIVE
