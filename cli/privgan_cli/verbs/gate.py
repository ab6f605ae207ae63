"""audit, keygen, release, verify: what may leave, who says so, and how the recipient checks it."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from privgan.errors import UsageError
from privgan.language import by_default, language, retold, tr
from privgan_cli import before
from privgan_cli.asked import AuditOptions
from privgan_cli.console import console
from privgan_cli.line import following
from privgan_cli.options import Force, PolicyFile, Processes, ask, read_key, read_policy
from privgan_cli.reading_options import EachImageIsAPatient

Synthetic = Annotated[Path, typer.Argument(help="A privgan set, a DICOM folder, an image folder or an .npz file.")]
EXIT_CODES = {"PASS": 0, "FAIL": 3, "INCONCLUSIVE": 4, "INVALID": 4}


def audit(
    synthetic: Synthetic,
    report: Annotated[Path, typer.Option(help="The report folder to make.")],
    cohort: Annotated[
        Path | None, typer.Option(help="The cohort that was trained on; with --members, where the attempt counts.")
    ] = None,
    members: Annotated[Path | None, typer.Option(help="From files alone: images that were trained on.")] = None,
    non_members: Annotated[Path | None, typer.Option(help="From files alone: images that were not.")] = None,
    colour: Annotated[bool, typer.Option("--colour", help="With --members: compare red, green and blue.")] = False,
    policy: PolicyFile = None,
    run: Annotated[Path | None, typer.Option(help="The run that drew the set; needed for a PASS.")] = None,
    encoder: Annotated[Path | None, typer.Option(help="Your own image encoder, an ONNX file.")] = None,
    encoder_trained_on: Annotated[str | None, typer.Option(help="In words: what the encoder learned from.")] = None,
    accept_delta: Annotated[bool, typer.Option("--accept-delta", help="Take a large delta. In red.")] = False,
    each_image_is_a_patient: EachImageIsAPatient = False,
    processes: Processes = 1,
    force: Force = False,
) -> int:
    """Attack a synthetic set as an adversary would, and give a verdict: 0 PASS, 3 FAIL, 4 neither."""
    from privgan_cli import surface
    from privgan_cli.company import audit_along, auditors, in_silence

    options = AuditOptions(
        cohort=cohort,
        run=run,
        members=members,
        non_members=non_members,
        colour=colour,
        encoder=encoder,
        encoder_trained_on=encoder_trained_on,
        accept_delta=accept_delta,
        each_image_is_a_patient=each_image_is_a_patient,
        force=force,
        processes=processes,
    )
    if (company := auditors(synthetic, report, options)).rank:
        return in_silence(lambda: audit_along(synthetic, report, options, company), company)
    rules = read_policy(policy)
    with by_default(rules.language):
        if cohort is not None and run is None:
            console.note(
                tr("privgan: without --run no image is drawn again, and the verdict is at best INCONCLUSIVE.")
            )
        content = surface.audit(synthetic, report, options, rules, progress=console.progress).to_json()
        from privgan_audits.report.usefulness import use
        from privgan_audits.telling.strength import strength_of
        from privgan_audits.telling.verdict import verdict_line_of

        console.result(
            {
                **{key: value for key, value in content.items() if key != "schema_version"},
                "strength": strength_of(content, inside=True).word,
            },
            verdict_line_of(content),
            *(f"  {retold(reason)}" for reason in content["reasons"]),
            *([use(content["utility"])] if use(content["utility"]) else []),
            *_public_copies(content["tests"]),
            *(() if content["cohort"] else (tr("not counted among a cohort's attempts: no --cohort was named"),)),
            tr(
                "report: {inside} (internal), {outside} (may be shared)",
                inside=report / "audit.html",
                outside=report / "audit-public.html",
            ),
            then=_after(report, content, cohort, members),
        )
    return EXIT_CODES[content["verdict"]]


def _after(report: Path, record: Mapping[str, Any], cohort: Path | None, members: Path | None) -> str:
    """Bare files can be audited, and never released."""
    return "" if members is not None else following.after_audit(report, record=record, cohort=cohort)


def _public_copies(tests: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What was found of the public images that the run started from, if it did."""
    from privgan_audits.questions import public_copies

    for test in tests:
        if test["id"] == public_copies.QUESTION.id and test["outcome"] == "measured":
            found = public_copies.QUESTION.words.answer(test).answer
            yield tr("copies of public images: {found}", found=found)


def keygen(
    name: Annotated[Path, typer.Argument(help="Writes NAME.key and NAME.pub.")],
    no_passphrase: Annotated[bool, typer.Option("--no-passphrase", help="Do not ask for one.")] = False,
    policy: Annotated[
        Path | None, typer.Option(help="For the privacy officer: a new policy.toml that names the key.")
    ] = None,
    preset: Annotated[str, typer.Option(help="Whose thresholds that policy has.")] = "default",
    house: Annotated[str, typer.Option(help="Who answers for the data, as every page will say it.")] = "",
) -> int:
    """Make a signing key: NAME.key stays with you, NAME.pub goes to recipients."""
    from privgan.seals import generate_key, key_line, load_public_key
    from privgan_audits.policy import Policy, write_policy

    chosen = Policy.named(preset)
    before.keygen(name, policy)
    pair = generate_key(name, None if no_passphrase else _new_passphrase())
    line = key_line(load_public_key(pair.public))
    if policy is not None:
        write_policy(policy, preset=chosen.preset, officer_key=line, house=house.strip(), language=language())
    console.result(
        {
            "private": str(pair.private),
            "public": str(pair.public),
            "fingerprint": pair.fingerprint,
            "officer_key": line,
            "policy": str(policy) if policy else None,
        },
        tr("{private} (keep it) and {public} (give it to recipients)", private=pair.private, public=pair.public),
        tr("fingerprint {fingerprint}", fingerprint=pair.fingerprint),
        tr("{file} names it: for `prepare --policy` and `audit --policy`", file=policy)
        if policy
        else tr('for policy.toml, if it is the privacy officer\'s: officer_key = "{line}"', line=line),
        then=following.after_keygen(pair.private, policy),
    )
    return 0


def release(
    synthetic: Annotated[Path, typer.Argument(help="A privgan set.")],
    cohort: Annotated[Path, typer.Option(help="The cohort that was trained on.")],
    report: Annotated[Path, typer.Option(help="Its latest audit.")],
    to: Annotated[Path, typer.Option(help="The bundle folder to make.")],
    key: Annotated[Path, typer.Option(help="Your signing key.")],
    run: Annotated[Path | None, typer.Option(help="The run that drew the set; draws it again.")] = None,
    licence: Annotated[str, typer.Option(help="SPDX's identifier, an address or words; else the policy's.")] = "",
    citation: Annotated[str, typer.Option(help="How to cite the set, in a line; else the policy's.")] = "",
    formats: Annotated[
        str, typer.Option("--format", help="Further forms, any of medmnist,imagefolder; dataset/ is always there.")
    ] = "",
    federation: Annotated[
        Path | None, typer.Option(help="Of several hospitals: the folder between them, with the yes of each.")
    ] = None,
    invited_by: Annotated[
        Path | None, typer.Option(help="With --federation: the public key of whoever invited.")
    ] = None,
    force: Force = False,
) -> int:
    """Judge and draw again and, only on PASS, write the signed bundle that may leave the hospital."""
    from privgan_audits.record import language_of
    from privgan_audits.release.judged import read_record
    from privgan_audits.release.recipient.offer import Offer
    from privgan_audits.release.release import Case
    from privgan_cli import surface
    from privgan_cli.verbs.joint import asked_for

    forms = tuple(name.strip() for name in formats.split(",") if name.strip())
    offer = Offer(licence=licence.strip(), citation=citation.strip(), forms=forms)
    if run is None:
        raise UsageError(
            "Expected --run: what leaves is drawn again from the run and the set's SEED. Name its folder."
        )
    case = Case(synthetic=synthetic, cohort=cohort, report=report, run=run)
    before.release(case, to, force=force)
    before.require_key(key)
    case = replace(case, joint=asked_for(federation, invited_by))
    signed = surface.release(case, to, read_key(key), offer, force=force, progress=console.progress)
    others = int(signed["federation"]["sites"]) - 1 if "federation" in signed else 0
    then = following.after_release(to, key, approved=bool(signed.get("approval")), others=others)
    with by_default(language_of(read_record(report)[0])):
        console.result({"bundle": str(to), **signed}, *_released(to, signed), then=then)
    return 0


def _released(to: Path, signed: Mapping[str, Any]) -> Iterator[str]:
    yield tr("released to {folder}; recipients check it with VERIFY.md", folder=to)
    if approved := signed.get("approval"):
        yield tr("approved by {officer} until {day}", officer=approved["officer"], day=approved["until"])
    if not signed["terms"]["licence"]:
        yield tr("no licence is stated: --licence, or licence in the policy")


def verify(
    bundle: Annotated[Path, typer.Argument(help="A released bundle.")],
    public_key: Annotated[
        list[Path], typer.Option(help="The hospital's public key, got over another channel; of several, each one's.")
    ],
    officer_key: Annotated[
        list[Path] | None, typer.Option(help="The privacy officer's, too: demands an approval.")
    ] = None,
    revocation: Annotated[Path | None, typer.Option(help="A withdrawal that the hospital sent.")] = None,
) -> int:
    """Check a bundle's signatures and every file; offline, for the recipient."""
    from privgan_cli import surface

    found = surface.verify(
        bundle,
        public_key,
        officer_key=officer_key or (),
        revocation=revocation,
        progress=console.progress,
    )
    from privgan_audits.release.recipient.answer import answer, lines

    with by_default(found.language):
        console.result(answer(found), *lines(found), then=following.after_verify(bundle, public_key))
    return 0


def _new_passphrase() -> bytes | None:
    if not sys.stdin.isatty():
        console.note(tr("No terminal to ask for a passphrase on: the key is protected by its file mode alone."))
        return None
    first = ask(tr("Passphrase for the new key (empty for none): "))
    if first and ask(tr("Again: ")) != first:
        raise UsageError("Expected the same passphrase twice.")
    return first or None
