"""Whether a cohort's members shaped what a model or a set came from: then they are no strangers to it."""

from collections.abc import Sequence

from privgan.data.cohort.cohort import Cohort
from privgan.dp.budget.ledger import Ledger
from privgan.errors import UsageError
from privgan_uses.released import Origin


def shaped_by(cohort: Cohort, origins: Sequence[Origin]) -> list[bool]:
    """Of each origin: by the cohort's name or by its own ledger, which also knows runs of several hospitals.

    Raises:
        UsageError: another cohort shaped some of it, too, that shares members with this one, as the site's anchor
            knows: who is held back here may be a member there.
    """
    if not origins:  # public images alone: no ledger knows of these
        return []
    ledger = Ledger.of_cohort(cohort.ledger_path, cohort_sha256=cohort.sha256)
    own, runs = cohort.facts.cohort_id, {origin.run_id for origin in origins}
    if ledger.anchor:
        others = set(ledger.anchor.connected(own)[1:])
        charged = {entry["run_id"] for entry in ledger.anchor.charges(others)}
        if others & {origin.cohort_id for origin in origins} or runs & charged:
            raise UsageError(
                "Expected patients whom the model cannot know: its images came from members of a cohort that shares "
                "patients with this one, as the site anchor says. Evaluate on the held-back patients of that cohort."
            )
    mine = {entry["run_id"] for entry in ledger.of_kind("charge")}
    return [origin.cohort_id == own or origin.run_id in mine for origin in origins]
