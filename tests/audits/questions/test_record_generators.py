"""T8 and T12 on records of invented patients: drawn as privgan draws them, and by programs that break the promise.

The study prints how many members' records, put into a set, each of the two sees, and how often they cry wolf.
"""

from collections.abc import Callable

import numpy as np
import pytest

from privgan.arrays import Flags, Floats, Integers, Texts
from privgan.data.columns import Wanted
from privgan.data.phantoms.phantom_records import COLUMNS, HEADER, PhantomRecords
from privgan.dp.accounting import default_delta
from privgan.dp.plan import calibrate_queries
from privgan.gan.image_model import RecordsSettings
from privgan.records.pairs import Pairs
from privgan.records.schema import Schema
from privgan.records.table import Table
from privgan_audits.gate.preflight import near_copy_level
from privgan_audits.policy import Policy
from privgan_audits.questions.attributes.by_record import guesses
from privgan_audits.questions.attributes.statistic import permutation_ps
from privgan_audits.questions.singling_out.measure import Records, singled_out
from privgan_audits.questions.singling_out.rule import own_level
from privgan_audits.questions.singling_out.statistic import SinglingOut, limit_of_detection
from privgan_audits.stats.pools import Pool, as_labels, relabellings
from privgan_audits.stats.relabelling import p_values

FEW = Schema.of(Wanted.typed(COLUMNS).types)
MANY = Schema.of({**FEW.types, "site": "category(a|b|c|d|e|f|g|h)", "dose": "number(0..99)"})
EPSILON = 3.0
LEVEL = own_level(near_copy_level(Policy(), 1, records=True))
ENOUGH = 0.005  # of a test with few relabellings
REPEATS, SAFE, ADDED = 10, 40, (10, 20, 40, 80)
World = tuple[Integers, Integers]  # real records, members' first, and invented ones
Draws = Callable[[Schema, Integers, int, np.random.Generator], Integers]  # members' records, how many to make


def patients(schema: Schema, count: int, rng: np.random.Generator) -> Integers:
    """What is known of invented patients: codes (count, 1 + columns), the class first; of MANY more than shows."""
    opaque = rng.random(count) < 0.5
    told = PhantomRecords.draw(opaque, rng, planted=True)
    columns = dict(zip(HEADER, map(np.array, zip(*told.rows(), strict=True)), strict=True))
    known = {**columns, "age": columns["age"].astype(float)}
    known |= {"site": rng.choice(list("abcdefgh"), count), "dose": rng.integers(0, 100, count).astype(float)}
    return np.column_stack([opaque, schema.codes(known, count)])


def as_privgan(schema: Schema, members: Integers, count: int, rng: np.random.Generator) -> Integers:
    """From the table of a noisy answer."""
    pairs = Pairs((2, *schema.levels))
    (noise,) = calibrate_queries(RecordsSettings().share * EPSILON, default_delta(len(members)), (1.0,))
    counts = np.bincount(pairs.places(members).ravel(), minlength=pairs.cells)
    noisy = counts + rng.normal(0, noise, pairs.cells) / np.repeat(pairs.weights, np.diff(pairs.starts))
    table = Table.fitted(schema, 2, noisy, noise=noise, members=len(members))
    return table.codes(table.joint, rng.random(count))


def without_noise(schema: Schema, members: Integers, count: int, rng: np.random.Generator) -> Integers:
    """From the members' own table of all columns: their records, drawn again and again."""
    del schema
    return members[rng.integers(len(members), size=count)]


def with_one_changed(schema: Schema, members: Integers, count: int, rng: np.random.Generator) -> Integers:
    """Members' records with one value, whichever, of somebody else: what a masker of single cells does."""
    made = without_noise(schema, members, count, rng)
    column = rng.integers(1, 1 + len(schema.levels), count)
    made[np.arange(count), column] = members[rng.integers(len(members), size=count), column]
    return made


def with_a_tenth_kept(schema: Schema, members: Integers, count: int, rng: np.random.Generator) -> Integers:
    """From the noisy table, but for one record in ten, which is a member's."""
    made = as_privgan(schema, members, count, rng)
    made[: count // 10] = without_noise(schema, members, count // 10, rng)
    return made


def singling_out_p(real: Integers, made: Integers, held: Flags, pool: Pool) -> float:
    """T12's."""
    records = Records(names=names_of(real), real=real, synthetic=made, owner=np.arange(len(real)), non_member=held)
    statistic = SinglingOut(hits=[each.met for each in singled_out(records).values()])
    return float(p_values(statistic, as_labels(held), pool)[0])


def by_record_p(real: Integers, made: Integers, held: Flags, pool: Pool) -> float:
    """T8's, of guesses from records alone."""
    sides = zip(names_of(real), real.T, made.T, strict=True)
    texts = {name: (_texts(ours, place), _texts(theirs, place)) for place, (name, ours, theirs) in enumerate(sides)}
    right = np.stack([_right(texts, name) for name in texts])
    return permutation_ps(right, as_labels(held), pool)[1]


def names_of(real: Integers) -> tuple[str, ...]:
    return ("class", *(f"column {number}" for number in range(1, real.shape[1])))


def _texts(codes: Integers, place: int) -> Texts:
    """Nothing known is empty; of the class every number says something."""
    return np.where((codes == 0) & (place > 0), "", codes.astype(np.str_))


def _right(texts: dict[str, tuple[Texts, Texts]], name: str) -> Floats:
    real = texts[name][0]
    return np.where(real == "", np.nan, guesses(texts, name, "of the test") == real)


BOTH = (singling_out_p, by_record_p)


@pytest.mark.parametrize("p_of", BOTH)
@pytest.mark.parametrize(
    ("draws", "found"),
    [(as_privgan, False), (without_noise, True), (with_one_changed, True), (with_a_tenth_kept, True)],
)
def test_programs_that_break_the_promise_are_found_and_privgan_is_not(
    draws: Draws, found: bool, p_of: Callable[..., float]
) -> None:
    rng = np.random.default_rng(1)
    real = patients(MANY, 600, rng)
    held = np.arange(600) >= 400
    made = draws(MANY, real[~held], 800, rng)
    assert (p_of(real, made, held, relabellings(600, 200, rng, 2000)) < ENOUGH) == found


@pytest.mark.study
@pytest.mark.parametrize("schema", [MANY, FEW], ids=["six columns", "four columns"])
def test_how_many_records_each_sees_and_how_often_it_cries_wolf(schema: Schema) -> None:
    """Printed: 1,333 members, 667 others, 2,000 invented records; copies of members' records are added."""
    rng, count, others = np.random.default_rng(0), 2000, 667
    held = np.arange(count) >= count - others
    pool = relabellings(count, others, rng, 20_000)
    print(f"\n{len(schema.names)} columns, level {LEVEL:.2g}; T12, T8 by record: share of sets")
    worlds = [_safe(schema, count, held, rng) for _ in range(REPEATS)]
    print("limit of detection that T12 tells:", sorted(map(str, (_limit(*world, held, rng) for world in worlds))))
    for draws in (without_noise, with_one_changed):
        for copies in ADDED:
            found = [_seen(draws, schema, world, copies, held, pool, rng) for world in worlds]
            print(f"{draws.__name__}, {copies} added:", np.mean(found, axis=0), flush=True)
    worlds += [_safe(schema, count, held, rng) for _ in range(SAFE - REPEATS)]
    calm = np.array([[p_of(*world, held, pool) for p_of in BOTH] for world in worlds])
    print(f"{SAFE} safe sets: p < 0.05", (calm < 0.05).mean(0), "FAIL", (calm < LEVEL).mean(0))
    assert (calm < LEVEL).mean() <= 0.05


def _safe(schema: Schema, count: int, held: Flags, rng: np.random.Generator) -> World:
    """Patients, and what privgan would draw of the members."""
    real = patients(schema, count, rng)
    return real, as_privgan(schema, real[~held], count, rng)


def _limit(real: Integers, made: Integers, held: Flags, rng: np.random.Generator) -> int | None:
    """As T12 tells it of a set."""
    records = Records(names=names_of(real), real=real, synthetic=made, owner=np.arange(len(real)), non_member=held)
    met = singled_out(records).values()
    statistic = SinglingOut(hits=[each.met for each in met])
    return limit_of_detection([each.alone for each in met], statistic, held, level=LEVEL, rng=rng)


def _seen(
    draws: Draws, schema: Schema, world: World, copies: int, held: Flags, pool: Pool, rng: np.random.Generator
) -> list[bool]:
    """Whether each test fails a set with so many more records of such a program."""
    real, made = world
    worse = np.concatenate([made, draws(schema, real[~held], copies, rng)])
    return [p_of(real, worse, held, pool) < LEVEL for p_of in BOTH]
