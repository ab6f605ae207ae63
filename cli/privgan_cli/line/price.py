"""What learning with others costs a site and what it gets for that, in words: for whoever invites, and who joins."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from privgan.language import to_tr, tr

if TYPE_CHECKING:
    from privgan.federation.invitation import Invitation

_HOW = to_tr(
    {
        "files": "answers are files that anybody may read, each with all of its site's noise; at most {patients} "
        "patients at all sites together",
        "masked": "answers are masked: only the sum of all can be read, each has a part of the noise; at most "
        "{patients} patients at all sites together",
    }
)


def price(asked: "Invitation") -> dict[str, Any]:
    """What each site spends, and what it gets for that; for programs."""
    return {
        "epsilon": asked.plan.spend().epsilon,
        "delta": asked.delta,
        "transport": asked.transport,
        "colluding": asked.colluding,
        "patients": asked.patients,
        "as_noisy_as": asked.as_noisy_as,
        "epsilon_if_more_collude": asked.own_plan.spend().epsilon,
        "epsilon_if_known_to": {str(k): asked.epsilon_known_to(k) for k in range(2, len(asked.sites) + 1)},
        "questions": len(asked.noise),
    }


def cost(asked: "Invitation") -> Iterator[str]:
    """The same for people."""
    count = len(asked.sites)
    yield tr(_HOW[asked.transport], patients=f"{asked.patients:,}")
    yield tr(
        "{count} sites, each spends {spend} on its own patients, in {questions} questions",
        count=count,
        spend=asked.plan.spend(),
        questions=len(asked.noise),
    )
    yield tr(
        "every total bears the noise of all sites, {times} times that of one hospital with all {patients} patients: "
        "as noisy as epsilon {epsilon} there",
        times=f"{asked.plan_of_totals.warm_start[0] / asked.plan.warm_start[0]:.2f}",
        patients=f"{asked.patients:,}",
        epsilon=f"{asked.as_noisy_as:.3g}",
    )
    for sites in sorted({2, count}):
        yield tr(
            "a patient whom {count} of the sites know spends epsilon {epsilon}",
            count=sites,
            epsilon=f"{asked.epsilon_known_to(sites):.3g}",
        )
    if asked.colluding == 1:
        yield tr(
            "this holds while no two sites tell each other all they know; if all others do, a site has spent epsilon "
            "{epsilon}",
            epsilon=f"{asked.own_plan.spend().epsilon:.3g}",
        )
    elif asked.colluding:
        yield tr(
            "this holds while no more than {count} sites tell each other all they know; if all others do, a site has "
            "spent epsilon {epsilon}",
            count=asked.colluding,
            epsilon=f"{asked.own_plan.spend().epsilon:.3g}",
        )
