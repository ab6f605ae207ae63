"""What epsilon means to whoever decides, in one sentence that every page, card and verb says alike."""

import math
from decimal import ROUND_CEILING, Decimal

from privgan.language import to_tr, tr

PRIORS = (0.01, 0.5)  # a rare guess, and a coin
LARGEST_SHOWN_BELIEF = 0.9999  # beyond it nobody reads the nines
PATIENT, IMAGE = "patient", "image"
_ODDS = to_tr(
    {
        PATIENT: "Whoever is {rare} sure that a given patient was among them can become at most {rare_after} sure, "
        "from {even} at most {even_after}",
        IMAGE: "Whoever is {rare} sure that a given image was among them can become at most {rare_after} sure, from "
        "{even} at most {even_after}",
    }
)


def odds(epsilon: float, who: str = PATIENT) -> str:
    """How sure anybody can become that somebody's images were learned from.

    Args:
        epsilon: of the promise.
        who: what is protected, PATIENT or IMAGE.

    >>> odds(3.0)
    'Whoever is 1 % sure that a given patient was among them can become at most 17 % sure, from 50 % at most 96 %'
    """
    (rare, rare_after), (even, even_after) = (
        (f"{100 * prior:g} %", percent_at_most(belief(prior, epsilon))) for prior in PRIORS
    )
    return tr(_ODDS[who], rare=rare, rare_after=rare_after, even=even, even_after=even_after)


def belief(prior: float, epsilon: float) -> float:
    """The most that an observer can come to believe, from `prior`, whatever is released (Dwork and Roth 2014).

    >>> round(belief(0.5, 1.0), 3)
    0.731
    """
    return 1.0 / (1.0 + (1.0 - prior) / prior * math.exp(-epsilon))


def percent_at_most(share: float) -> str:
    """A limit as per cent with two digits, and near certainty so many that it is none; never below it.

    >>> percent_at_most(0.023411), percent_at_most(0.5992), percent_at_most(0.99549), percent_at_most(0.99999)
    ('2.4 %', '60 %', '99.6 %', 'nearly 100 %')
    """
    if share > LARGEST_SHOWN_BELIEF:
        return tr("nearly 100 %")
    if share <= 0:
        return "0 %"
    value = Decimal(repr(float(100 * share)))
    digits = Decimal(1).scaleb((100 - value if value > 90 else value).adjusted() - (1 if value <= 90 else 0))
    return f"{min(value.quantize(digits, ROUND_CEILING), Decimal('99.99')).normalize():f} %"
