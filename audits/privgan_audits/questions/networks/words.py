"""T4 told: membership, from the networks."""

from collections.abc import Callable, Iterator

from privgan.language import retold, to_tr, tr
from privgan_audits.record import Record
from privgan_audits.telling.facts import rates
from privgan_audits.telling.keys import keyword
from privgan_audits.telling.numbers import chances, percent, plain, span
from privgan_audits.telling.words import (
    INFERENCE,
    P_NOTE,
    Answer,
    Fact,
    Label,
    Words,
)

_NETWORKS = to_tr(
    {
        "discriminator": "Asking the network that learned to know real images",
        "inversion": "Searching the generator for the input that draws a person's image best",
    }
)


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    tables = [(tr(told), test.get(name) or {}) for name, told in _NETWORKS.items()]
    best = max((table["auc"] for _, table in tables if "auc" in table), default=None)
    return Answer(
        answer=tr("right {share} of the time; a coin 50 %", share=percent(best)),
        sentences=(
            *(_told(told, table) for told, table in tables),
            tr(
                "Together they prove an epsilon of at least {least}; so many patients could prove at most {most}.",
                least=plain(test["epsilon_lower_bound"]),
                most=plain(test["largest_provable_epsilon"]),
            ),
        ),
    )


def _told(told: str, table: Record) -> str:
    if "auc" not in table:
        reason = retold(table["not_measured"]) if "not_measured" in table else tr("for an unknown reason")
        return tr("{attack}: not measured, {reason}.", attack=told, reason=reason)
    low, high = table["auc_interval"]
    return tr(
        "{attack} picks the member {share} of the time ({interval}; {count} patients); chance alone does as well "
        "{chances}.",
        attack=told,
        share=percent(table["auc"]),
        interval=span(percent(low), percent(high)),
        count=plain(table["members"] + table["non_members"]),
        chances=chances(table["p"]),
    )


def _network(name: str) -> Callable[[Record], Iterator[Fact]]:
    def told(test: Record) -> Iterator[Fact]:
        title = keyword(name).capitalize()
        for key, value in test[name].items():
            if key == "tpr":
                for fact in rates(test[name]):
                    yield Fact(name=_of(title, fact.name), value=fact.value, note=fact.note)
            else:
                yield Fact(name=_of(title, keyword(key)), value=plain(value))

    return told


def _of(network: str, what: str) -> str:
    return tr("{network}: {what}", network=network, what=what)


WORDS = Words(
    title="Could someone who stole the networks tell who was in the training data?",
    short="Membership, from the networks",
    tries="Takes the two networks of the training, which never leave the hospital. Asks the one that was "
    "trained to know real images how real a person's image looks, and searches the other for the input that "
    "draws it best.",
    caught="Networks that remember their members by more than epsilon permits. Only that counts for the verdict, "
    "because the networks stay inside.",
    group=INFERENCE,
    good="within epsilon",
    answer=answer,
    labels={
        "p": Label(name="p-value of both attacks together", note=P_NOTE),
        "epsilon_lower_bound": Label(name="Smallest epsilon that this proves", note="must not exceed the claim"),
        "largest_provable_epsilon": Label(name="Largest epsilon that it could have proved"),
    },
    special={"discriminator": _network("discriminator"), "inversion": _network("inversion")},
)
