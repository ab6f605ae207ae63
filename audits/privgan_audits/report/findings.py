"""What each test measured, in words; a finding that has no words here is shown by its own name.

Internal page only: these are exact numbers computed from patients' images.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from privgan_audits.report.page import Fact
from privgan_audits.report.words.findings import LABELS, Label
from privgan_audits.telling.numbers import humanised, percent, plain, points

_FRAME = frozenset({"id", "title", "outcome", "reason", "series"})


def measured_facts(test: Mapping[str, Any]) -> Iterator[Fact]:
    """The findings of one test of the record, in the order of the record."""
    if test["outcome"] != "measured":
        return  # its reason says what there is to say
    labels = LABELS.get(test["id"], {})
    for key, value in test.items():
        if key in _SPECIAL:
            yield from _SPECIAL[key](test)
        elif key not in _FRAME and key not in _TOLD_ELSEWHERE:
            label = labels.get(key, Label(name=humanised(key)))
            shown = percent(value) if label.share and isinstance(value, float) else plain(value)
            yield Fact(name=label.name, value=shown, note=label.note)


def _spaces(test: Mapping[str, Any]) -> Iterator[Fact]:
    for name, space in test["spaces"].items():
        yield Fact(name=f"Comparing by {name}: p-value", value=plain(space["p"]))
        yield from _ranks(space)


def _look_alikes(test: Mapping[str, Any]) -> Iterator[Fact]:
    for name, found in test["look_alikes"].items():
        note = f"within {found['bits']} of 64 bits, at which no two real patients look alike"
        if found["bits"] < 0:
            note = "real patients already look alike to it, so that it cannot say anything here"
        value = f"{plain(found['members'])} members, {plain(found['non_members'])} non-members"
        yield Fact(name=f"Patients with a look-alike by {name}", value=value, note=note)


def _rates(test: Mapping[str, Any]) -> Iterator[Fact]:
    for rate, found in test["tpr"].items():
        value = f"{percent(found['measured'])} ({percent(found['low'])} to {percent(found['high'])})"
        false = rate.removesuffix("_percent").replace("_", ".")
        yield Fact(name=f"Members recognised at {false} % false accusations", value=value, note="90 % interval")


def _attacks(test: Mapping[str, Any]) -> Iterator[Fact]:
    for name, found in test["attacks"].items():
        value = f"AUC {plain(found['auc'])}, {percent(found['tpr_at_1_percent'])} at 1 % false accusations"
        yield Fact(name=f"By {name} alone", value=value)


def _precision(test: Mapping[str, Any]) -> Iterator[Fact]:
    for share, value in test["precision"].items():
        name = f"Right accusations, at most, where {percent(float(share))} of the suspects are members"
        yield Fact(name=name, value=percent(value), note=f"guessing: {percent(float(share))}")


def _checks(test: Mapping[str, Any]) -> Iterator[Fact]:
    failed = [humanised(name) for name, holds in test["checks"].items() if holds is not True]
    total = len(test["checks"])
    yield Fact(name="Checks of the books", value=f"{total - len(failed)} of {total} hold", note="")
    for name in failed:
        yield Fact(name="Does not hold", value=name)


def _places(test: Mapping[str, Any]) -> Iterator[Fact]:
    for place in test["places"]:
        yield Fact(name="Found in", value=place["file"], note=f"{place['kind']}: {place['category']}")


def _ranks(counted: Mapping[str, Any]) -> Iterator[Fact]:
    for rank, count in counted["members_before_non_member"].items():
        nearest = "the closest non-member" if rank == "1" else f"non-member number {rank} by closeness"
        safe = f"a safe set: about {plain(counted['expected_when_safe'][rank])}"
        yield Fact(name=f"Members closer than {nearest}", value=plain(count), note=safe)


def _network(name: str) -> Callable[[Mapping[str, Any]], Iterator[Fact]]:
    def told(test: Mapping[str, Any]) -> Iterator[Fact]:
        for key, value in test[name].items():
            if key == "tpr":
                for fact in _rates(test[name]):
                    yield Fact(name=f"{name.capitalize()}: {fact.name}", value=fact.value, note=fact.note)
            else:
                yield Fact(name=f"{name.capitalize()}: {humanised(key)}", value=plain(value))

    return told


def _columns(test: Mapping[str, Any]) -> Iterator[Fact]:
    for name, found in test["columns"].items():
        low, high = found["advantage_interval"]
        value = f"{percent(found['members'])} of members, {percent(found['non_members'])} of others"
        note = f"always the commonest of {plain(found['values'])} values: {percent(found['guessing'])}"
        yield Fact(name=f"{humanised(name).capitalize()}, guessed right", value=value, note=note)
        bounds = f"95 % interval {points(low)} to {points(high)}; at most {points(found['advantage_upper'])}"
        yield Fact(name="its advantage for members", value=points(found["advantage"]), note=bounds)
        yield Fact(name="its residual risk", value=percent(found["residual_risk"]), note="(a - c) / (1 - c)")
        yield Fact(name="its p-value alone", value=plain(found["p"]))


def _left_out(test: Mapping[str, Any]) -> Iterator[Fact]:
    for name, reason in test["not_applicable"].items():
        yield Fact(name=f"{humanised(name).capitalize()}", value="not asked", note=reason)


def _measure(name: str, title: str) -> Callable[[Mapping[str, Any]], Iterator[Fact]]:
    def told(test: Mapping[str, Any]) -> Iterator[Fact]:
        found = {key: value for key, value in test[name].items() if key != "meaning"}
        yield Fact(name=title, value=plain(found), note=str(test[name].get("meaning", "")))

    return told


def _midi_b(test: Mapping[str, Any]) -> Iterator[Fact]:
    for name, row in test["midi_b"].items():
        value = f"{plain(row['violations'])} violations in {plain(row['checked'])} files ({row['basis']})"
        yield Fact(name=f"MIDI-B: {humanised(name)}", value=value, note=str(row["meaning"]))


_SPECIAL: dict[str, Callable[[Mapping[str, Any]], Iterator[Fact]]] = {
    "spaces": _spaces,
    "look_alikes": _look_alikes,
    "tpr": _rates,
    "precision": _precision,
    "attacks": _attacks,
    "checks": _checks,
    "places": _places,
    "members_before_non_member": _ranks,
    "discriminator": _network("discriminator"),
    "inversion": _network("inversion"),
    "columns": _columns,
    "not_applicable": _left_out,
    "dcr_share": _measure("dcr_share", "Share of synthetic images nearest to a member (DCR)"),
    "nndr": _measure("nndr", "Nearest against second nearest distance (NNDR)"),
    "c_t": _measure("c_t", "Data-copying statistic C_T (Meehan et al. 2020)"),
    "authenticity": _measure("authenticity", "Authenticity (Alaa et al. 2022)"),
    "midi_b": _midi_b,
}
_TOLD_ELSEWHERE = frozenset({"limit_of_detection", "expected_when_safe"})
