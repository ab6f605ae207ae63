"""The resume state of a run: one private safetensors file whose hash the ledger knows before it has its name.

It holds no random state: lost steps are redone with fresh draws and fresh noise, because a replayed noise
would cancel itself out.
"""

import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from privgan.config import from_table
from privgan.dp.budget.ledger import Ledger
from privgan.errors import BudgetError, IntegrityError
from privgan.files import sha256_bytes, sha256_file, write_bytes
from privgan.gan.effects.odds import Odds
from privgan.gan.networks import Discriminator, Generator
from privgan.gan.networks.descent import Adam
from privgan.gan.networks.saving import STATE, has_state, opened_state
from privgan.gan.networks.states import fill, tensors_of
from privgan.gan.training.ladder import Ladder
from privgan.gan.training.monitor import Alarm, Monitor
from privgan.gan.warm_start.class_balance import ClassBalance
from privgan.records.table import Table
from privgan.run import PriorNamed, RunFacts


@dataclass(kw_only=True)
class TrainingState:
    """Everything that one step hands to the next. Mutable: the networks learn in place.

    counts: (classes,), the noisy numbers of patients that the warm start released; fakes are drawn in their shares.
    powers: (classes, numbers), how strong detail is, as released, until the generator's detail is; None afterwards.
    monitor: watches the generator and holds what it warned of; None when nobody watches.
    prior: what is known of the run's prior, used or left out; None without one.
    shown: the fakes of the last discriminator step and what is told of them; never saved.
    """

    step: int
    waited: int
    ladder: Ladder
    counts: Tensor
    generator: Generator
    average: Generator
    discriminator: Discriminator
    generator_optimiser: Adam
    discriminator_optimiser: Adam
    class_balance: ClassBalance | None = None
    records: Table | None = None
    monitor: Monitor | None = None
    powers: Tensor | None = None
    prior: PriorNamed | None = None
    shown: tuple[Tensor, Tensor] | None = None

    @cached_property
    def odds(self) -> Odds | None:
        """How common records are, as their table says; None without one. Asked for once that is there."""
        return None if self.records is None else Odds.of_table(self.records)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was noticed so far, in plain words; public."""
        return () if self.monitor is None else tuple(str(alarm) for alarm in self.monitor.alarms)


def save_state(state: TrainingState, run: Path, ledger: Ledger, run_id: str) -> Ledger:
    """Announce the state's hash in the ledger, then write it atomically."""
    numbers = {
        "step": str(state.step),
        "waited": str(state.waited),
        "ladder_steps": str(state.ladder.steps),
        "ladder_accuracy": repr(state.ladder.accuracy),
        "ladder_since": str(state.ladder.since),
    }
    if state.prior is not None:
        numbers["prior_named"] = json.dumps(asdict(state.prior))
    if state.class_balance is not None:
        numbers["class_balance"] = json.dumps(asdict(state.class_balance))
    if state.records is not None:
        numbers["records"] = json.dumps(state.records.to_json())
    if state.monitor is not None:
        numbers["alarms"] = json.dumps([asdict(alarm) for alarm in state.monitor.alarms])
    tensors = {"counts": state.counts, **tensors_of(_networks(state), _optimisers(state))}
    if state.powers is not None:
        tensors["powers"] = state.powers
    content = save({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, metadata=numbers)
    ledger = ledger.checkpoint(run_id, step=state.step, sha256=sha256_bytes(content))
    write_bytes(run / STATE, content)
    return ledger


def may_restore(run: Path, ledger: Ledger, run_id: str) -> bool:
    """Whether a run has a state to go on from; none when it was stopped before its first.

    Raises:
        BudgetError: the run is closed, or its state is missing, old or foreign.
    """
    path = run / STATE
    if not has_state(run):
        # At most the first state can be announced and not yet named.
        if len(ledger.of_kind("checkpoint", run_id)) > 1:
            raise BudgetError("Expected the resume state that the ledger knows of, the file is missing.")
        return False
    ledger.require_resumable(run_id, sha256_file(path))
    return True


def as_told(facts: RunFacts, run: Path) -> RunFacts:
    """The facts of a run with what its last state says was found in training."""
    with opened_state(run / STATE) as tensors:
        alarms = [Alarm(**alarm) for alarm in json.loads(tensors.metadata().get("alarms", "[]"))]
    return replace(facts, warnings=tuple(map(str, alarms)), prior=saved_prior(run, facts.prior))


def saved_prior(run: Path, began: PriorNamed | None) -> PriorNamed | None:
    """What a saved state knows of its run's prior. began: what run.json names.

    Raises:
        IntegrityError: it began with another prior than run.json now names.
    """
    with opened_state(run / STATE) as tensors:
        text = tensors.metadata().get("prior_named")
    named = None if text is None else from_table(PriorNamed, json.loads(text))
    if (named and named.as_learned) != (began and began.as_learned):
        raise IntegrityError("Expected the prior that the run began with, run.json and its folder name another.")
    return named


def restore_state(state: TrainingState, run: Path, torch_rng: torch.Generator) -> None:
    """Fill a fresh state with what was saved; the monitor draws what it looks at anew."""
    with opened_state(run / STATE) as tensors:
        numbers = tensors.metadata()
        state.counts = tensors.get_tensor("counts")
        state.powers = tensors.get_tensor("powers") if "powers" in tensors.keys() else None  # noqa: SIM118 (not a dict)
        fill(_networks(state), _optimisers(state), {key: tensors.get_tensor(key) for key in tensors.keys()})  # noqa: SIM118 (not a dict)
    state.step, state.waited = int(numbers["step"]), int(numbers["waited"])
    state.ladder = Ladder(
        steps=int(numbers["ladder_steps"]),
        accuracy=float(numbers["ladder_accuracy"]),
        since=int(numbers["ladder_since"]),
    )
    told = json.loads(numbers.get("alarms", "[]"))  # older states have no warnings
    state.monitor = Monitor.of(state.generator, torch_rng, [Alarm(**alarm) for alarm in told])
    if "class_balance" in numbers:
        state.class_balance = ClassBalance.from_json(json.loads(numbers["class_balance"]))
    if "records" in numbers:
        state.records = Table.from_json(json.loads(numbers["records"]))


def _networks(state: TrainingState) -> dict[str, nn.Module]:
    return {"generator": state.generator, "average": state.average, "discriminator": state.discriminator}


def _optimisers(state: TrainingState) -> dict[str, Adam]:
    return {"generator_adam": state.generator_optimiser, "discriminator_adam": state.discriminator_optimiser}
