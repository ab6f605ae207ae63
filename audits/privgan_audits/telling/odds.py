"""What epsilon means to whoever decides, in one sentence that every page and verb says alike."""

from privgan_audits.telling.numbers import belief, percent, percent_at_most

PRIORS = (0.01, 0.5)  # a rare guess, and a coin


def odds(epsilon: float, who: str = "patient") -> str:
    """How sure anybody can become that somebody's images were learned from.

    Args:
        epsilon: of the promise.
        who: what is protected, a patient or an image.

    >>> odds(3.0)
    'Whoever is 1 % sure that a given patient was among them can become at most 17 % sure, from 50 % at most 96 %'
    """
    first, second = ((percent(prior), percent_at_most(belief(prior, epsilon))) for prior in PRIORS)
    return (
        f"Whoever is {first[0]} sure that a given {who} was among them can become at most {first[1]} sure, from "
        f"{second[0]} at most {second[1]}"
    )
