"""From the invitation to a generator: this site answers whatever is asked next, as far as the others have answered.

Every command begins at the first question again and takes the answers that are there, so that a kill at any moment
leaves nothing to mend: what is known is in the folder, in the ledger and in this site's own answers.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from torch import Tensor

from privgan.data.cohort.cohort import Cohort
from privgan.dp.budget.ledger import Ledger
from privgan.dp.noise import released, secure_generator
from privgan.errors import BudgetError, IntegrityError, UsageError
from privgan.federation.answers import AwaitedError, Here, SumOfAnswers
from privgan.federation.exchange import Exchange
from privgan.federation.invitation import Federation
from privgan.federation.joining import ANSWERS
from privgan.federation.letters import federation_of, joined
from privgan.folders import remove_partials
from privgan.gan.networks import save_generator
from privgan.gan.networks.public_prior import IN_RUN, Prior, open_prior
from privgan.gan.patients import DescribedQuery, Patients
from privgan.gan.randomness import Randomness
from privgan.gan.training.beginning import Training
from privgan.gan.training.members import Members
from privgan.gan.training.runs import closed_model, finish, ledger_for
from privgan.gan.training.step import fit
from privgan.interruption import StopRequest
from privgan.memory import keep_freed_memory
from privgan.progress import Progress, silent
from privgan.run import ModelDigests, RunFacts, alone, read_run
from privgan.seals import key_line

_LOOK_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Progressed:
    """How far a site came. question: the last that it answered, of so many; missing: who has to say something next.

    joined: whether all sites have said yes. The facts say "finished" once the generator is there.
    """

    facts: RunFacts
    question: int
    questions: int
    joined: bool
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Sites:
    """All members of all sites, as `gan.patients.NoisyPatients` has it: this site's noised here, the others' there.

    here: this site's. noise: that it adds, question after question. total: the function that adds up.
    """

    here: Patients
    noise: tuple[float, ...]
    total: SumOfAnswers

    def noisy_sums(self, query: DescribedQuery, noise: float) -> Tensor:
        """See `NoisyPatients`. The noise that is expected of totals follows from what each site adds."""
        own, sites = self.noise[self.total.answered], len(self.total.here.federation.invitation.sites)
        if not abs(noise / (own * sites**0.5) - 1) < 1e-9:
            raise BudgetError("Expected a question with the noise that every site has agreed to, got another one.")

        def vector() -> Tensor:
            (answer,) = released([self.here.described_sums(query)], bound=1.0, noise=own, rng=secure_generator())
            return answer

        return self.total(vector, query.shape)


def answer(
    exchange: Exchange,
    cohort: Cohort,
    run: Path,
    keys: tuple[Ed25519PrivateKey, Ed25519PublicKey],
    *,
    wait: Callable[[], bool] = lambda: False,
    progress: Progress = silent,
) -> Progressed:
    """Answer what is asked next; with everybody's last answer, make the generator.

    Args:
        exchange: the federation's folder.
        cohort: this site's.
        run: which `join` made.
        keys: this site's own, and the inviter's public one.
        wait: see `SumOfAnswers`.
        progress: told of questions.

    Raises:
        UsageError: the run is no federation's, or the key not its site's.
        IntegrityError: a letter, or the run, is edited, foreign or stale.
        BudgetError: the ledger refuses, or disagrees with the run.
    """
    facts, federation = read_run(run), federation_of(exchange.invitation, keys[1])
    _require_own(facts, federation, cohort)
    site = federation.invitation.site_of(key_line(keys[0].public_key()))
    if facts.site not in ("", site.name):  # runs of earlier versions did not say
        raise UsageError(
            f"Expected the key of site {facts.site}, for which this run answers, got that of {site.name}."
        )
    ledger = ledger_for(cohort)
    here = Here(federation=federation, site=site, key=keys[0], kept=run / ANSWERS, ledger=cohort.ledger_path)
    total = SumOfAnswers(here=here, exchange=exchange, wait=wait)
    questions = len(federation.invitation.noise)
    if model := closed_model(ledger, facts):
        return _closed(run, facts, model, questions)
    exchange.say_yes(site.name, joined(federation, site, keys[0]))  # where the folder has lost or exchanged it
    keep_freed_memory()
    with alone(run):
        remove_partials(run)
        try:
            facts = _generator(total, cohort, run, facts, progress)
        except AwaitedError as awaited:
            return Progressed(
                facts=facts,
                question=total.answered,
                questions=questions,
                joined=awaited.question > 0,
                missing=awaited.missing,
            )
    return Progressed(facts=facts, question=questions, questions=questions, joined=True)


def _require_own(facts: RunFacts, federation: Federation, cohort: Cohort) -> None:
    if facts.federation is None:
        raise UsageError("Expected a run that 'privgan join' made, this one is of one hospital.")
    if (facts.federation, facts.run_id) != (federation.named, federation.run_id):
        raise IntegrityError("Expected the federation that this run joined, the folder is of another one.")
    if facts.cohort_id != cohort.facts.cohort_id:
        raise IntegrityError("Expected the cohort that joined with this run, got another one.")


def _closed(run: Path, facts: RunFacts, model: ModelDigests, questions: int) -> Progressed:
    """The ledger has its generator; a kill may have kept run.json from saying so."""
    if ModelDigests.of(run) != model:
        raise IntegrityError("Expected the generator that the ledger has closed this run with, it was edited.")
    done = facts if facts.state == "finished" else finish(run, facts, model)
    return Progressed(facts=done, question=questions, questions=questions, joined=True)


def _generator(total: SumOfAnswers, cohort: Cohort, run: Path, facts: RunFacts, progress: Progress) -> RunFacts:
    """Ask all questions of all sites, and save what follows."""
    federation = total.here.federation
    asked, device, prior = federation.invitation, torch.device("cpu"), _prior_of(run, facts)
    torch.set_num_threads(1)  # more of them would split sums in other places, and sites have not equally many
    members = Members.of(cohort, asked.settings, device, secure_generator())
    training = Training(
        run=run,
        run_id=facts.run_id,
        patients=Sites(here=members, noise=asked.noise, total=total),
        config=asked.settings.generator_config(asked.form.bare, prior, asked.schema),
        plan=asked.plan_of_totals,
        settings=asked.settings,
        device=device,
        prior=prior,
        schema=asked.schema,
    )
    chance = Randomness.of(federation.seed)  # the same at every site; noise is drawn from elsewhere
    state = fit(training, None, chance, StopRequest(), progress)
    model = save_generator(run, state.average, state.class_balance, state.records)
    Ledger.read(cohort.ledger_path).close(facts.run_id, **asdict(model))
    return finish(run, replace(facts, prior=state.prior), model)


def _prior_of(run: Path, facts: RunFacts) -> Prior | None:
    """The copy that this site joined with."""
    if facts.prior is None:
        return None
    prior = open_prior(run / IN_RUN)
    if prior.named != facts.prior:
        raise IntegrityError("Expected the prior that this site joined with in the run's folder, it was edited.")
    return prior


def patience(minutes: float) -> Callable[[], bool]:
    """A `wait` that looks again every other second, for so many minutes."""
    end = time.monotonic() + 60 * minutes

    def wait() -> bool:
        left = end - time.monotonic()
        time.sleep(max(0.0, min(_LOOK_SECONDS, left)))
        return left > 0

    return wait
