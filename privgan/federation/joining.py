"""A site says yes: everything that could make it stop later is looked at now, and nothing is spent."""

from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan.config import to_toml
from privgan.data.cohort.cohort import Cohort
from privgan.dp.plan import MIN_MEMBERS
from privgan.errors import BudgetError, InputRejectedError, UsageError
from privgan.federation.answers import GIVEN, has_given
from privgan.federation.exchange import Exchange
from privgan.federation.invitation import Federation, Site
from privgan.federation.letters import joined
from privgan.files import write_text
from privgan.folders import PRIVATE_FOLDER, recover, staged_folder
from privgan.gan.networks.public_prior import IN_RUN, Prior
from privgan.gan.training.planning import begun
from privgan.gan.training.runs import CONFIG, ledger_for
from privgan.run import MARKER, RunFacts, make_run_folders, write_run
from privgan.seals import key_line

ANSWERS = "private/answers"


def join(
    exchange: Exchange,
    cohort: Cohort,
    run: Path,
    key: Ed25519PrivateKey,
    federation: Federation,
    *,
    prior: Prior | None = None,
    force: bool = False,
) -> None:
    """Make the run folder in which this site answers, and put its yes into the federation's folder.

    federation: that this site has read of and says yes to, whatever the folder holds by now. prior: the one that the
    invitation names, none of whose images is this cohort's; None where it names none.

    Raises:
        UsageError: the key is no invited site's, the run exists, the prior is another one, or the site has begun to
            answer in another run.
        InputRejectedError: the cohort's images or columns are others than the invitation's, or its members too few
            or too many.
        BudgetError: the cohort's cap would be passed, its ledger is damaged, or it does not know an answer that the
            run or the federation's folder holds.
        IntegrityError: a link, a folder or a file that is too large is in the place of an answer of this site.
    """
    site = federation.invitation.site_of(key_line(key.public_key()))
    _require_named(federation, prior)
    _require_fitting(federation, cohort)
    plan, ledger = federation.invitation.plan, ledger_for(cohort)
    if ledger.of_kind("charge", federation.run_id):
        raise UsageError(
            "Expected a site that has not begun to answer, the ledger is charged for this federation: this site "
            "answers in its first run, which keeps its answers. Name that one to 'privgan answer'; if it is lost, "
            "restore it from a backup."
        )
    _require_unanswered(exchange, federation, site, run)
    ledger.require_affordable(plan.queries, delta=plan.delta, run_id=federation.run_id)
    with staged_folder(run, marker=MARKER, force=force) as folder:
        make_run_folders(folder)
        (folder / ANSWERS).mkdir(mode=PRIVATE_FOLDER)
        write_run(folder, _facts(federation, cohort, site.name))
        write_text(folder / CONFIG, to_toml(federation.invitation.settings))
        if prior is not None:
            prior.copy(folder / IN_RUN)
    exchange.say_yes(site.name, joined(federation, site, key))


def _require_unanswered(exchange: Exchange, federation: Federation, site: Site, run: Path) -> None:
    """The ledger knows of no answer; where one lies it was rolled back, and a new run would draw noise once more."""
    recover(run)  # a killed command may have moved the run aside, with its answers
    if any((run / ANSWERS).glob("*")):
        raise BudgetError(
            "Expected a run folder without answers, this one keeps some. They are not replaced, --force or not: a "
            "second one with other noise would be a release that nobody charged. If they are of this federation, the "
            "ledger was rolled back: restore the newest backup of the cohort. Otherwise name another folder."
        )
    if has_given(exchange, federation, site, range(1, len(federation.invitation.noise) + 1)):
        raise BudgetError(GIVEN)


def _require_named(federation: Federation, prior: Prior | None) -> None:
    asked = federation.invitation.prior
    if asked == (None if prior is None else prior.named):
        return
    if asked is None:
        raise UsageError("Expected no --prior, the invitation names none.")
    raise UsageError(
        "Expected the prior that all sites start from, named with --prior; whoever invites has it. Its prior.json "
        f"has the SHA-256 {asked.sha256}."
    )


def _require_fitting(federation: Federation, cohort: Cohort) -> None:
    asked, members = federation.invitation, cohort.facts.members
    if cohort.facts.form != asked.form:
        raise InputRejectedError(
            "Expected images of the invitation's form, this cohort's have another size, other classes, another "
            "modality, body part or window. Prepare it as all sites agreed to."
        )
    if cohort.schema.types != asked.columns:
        columns = ",".join(f"{name}:{text}" for name, text in asked.columns.items()) or "-"
        raise InputRejectedError(
            f"Expected the columns that the invitation declares for records, {columns}, this cohort declares others. "
            "Prepare it as all sites agreed to."
        )
    if members < MIN_MEMBERS:
        raise InputRejectedError(f"Expected at least {MIN_MEMBERS} members to answer for, the cohort has {members}.")
    if members > asked.patients:
        raise InputRejectedError(
            f"Expected at most {asked.patients} members at all sites together, this cohort alone has more. Ask for "
            "an invitation that counts them."
        )


def _facts(federation: Federation, cohort: Cohort, site: str) -> RunFacts:
    """What this site's run says before its first answer; the number of its own members is not in it."""
    asked = federation.invitation
    facts = begun(cohort, asked.plan, run_id=federation.run_id, epsilon=asked.epsilon)
    return replace(facts, members=asked.patients, federation=federation.named, site=site, prior=asked.prior)
