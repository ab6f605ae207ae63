"""invite, join, answer, sites: several hospitals learn together, and no image leaves any of them."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privgan.errors import UsageError
from privgan.language import retold, tr
from privgan_cli import before
from privgan_cli.console import console
from privgan_cli.line import following
from privgan_cli.line.price import cost, price
from privgan_cli.options import Force, choice, read_key

if TYPE_CHECKING:
    from privgan.federation.invitation import Site
    from privgan.federation.together import Progressed

Federation = Annotated[Path, typer.Argument(help="The folder that travels between the sites.")]
Cohort = Annotated[Path, typer.Argument(help="This site's, a folder made by `privgan prepare`.")]
SiteKey = Annotated[Path, typer.Option(help="This site's private key, which it signs with.")]
Inviter = Annotated[Path, typer.Option(help="The public key of whoever invites, as it was handed over in person.")]
WAITING = 75


def invite(
    federation: Annotated[Path, typer.Argument(help="The folder to make, which will travel between the sites.")],
    like: Annotated[Path, typer.Option(help="A cohort: every site's images have its form and classes.")],
    site: Annotated[list[str], typer.Option(metavar="NAME=FILE", help="A site and its public key; once for each.")],
    epsilon: Annotated[float, typer.Option(help="What each site spends on its own patients. No default.")],
    patients: Annotated[int, typer.Option(help="At most so many members at all sites together, for all to know.")],
    key: Annotated[Path, typer.Option(help="The private key of whoever invites.")],
    delta: Annotated[float | None, typer.Option(help="Default: largest power of ten <= 1/(10 x patients).")] = None,
    transport: Annotated[str, choice("files, or masked for three sites and more.")] = "files",
    colluding: Annotated[
        int | None, typer.Option(help="Of masked: sites that may conspire. Default: fewer than half.")
    ] = None,
    preset: Annotated[str, choice("auto, small-cohort, balanced, large-cohort or slices.")] = "auto",
    config: Annotated[Path | None, typer.Option(help="train.toml.")] = None,
    measure_classes: Annotated[
        bool, typer.Option("--measure-classes", help="Ask for the classes' shares of all sites together, too.")
    ] = False,
    prior: Annotated[
        Path | None, typer.Option(help="A folder made by `privgan prior`: all sites start from it.")
    ] = None,
    accept_noise: Annotated[
        bool, typer.Option("--accept-noise", help="Invite although nothing can come of it: for a try, say.")
    ] = False,
    force: Force = False,
) -> int:
    """Invite hospitals to learn together from sums that each of them noises; says what it will cost."""
    before.invite(federation, like, key, config, prior, force=force)
    from privgan.data.cohort.cohort import open_cohort
    from privgan.federation.inviting import Asked, invitation_for
    from privgan.federation.inviting import invite as invite_sites
    from privgan.gan.networks.public_prior import open_prior

    asked = Asked(
        sites=tuple(map(_site, site)),
        epsilon=epsilon,
        patients=patients,
        delta=delta,
        transport=transport,
        colluding=colluding,
        preset=preset,
        config=config,
        measure_classes=measure_classes,
        prior=None if prior is None else open_prior(prior),
    )
    example = open_cohort(like)
    invitation, chosen = invitation_for(asked, example.facts.form, example.schema)
    chosen.outlook.require(accept=accept_noise)
    made = invite_sites(federation, invitation, read_key(key), force=force)
    console.result(
        {
            "federation": made.sha256,
            "sites": [each.name for each in invitation.sites],
            **price(invitation),
            "preset": chosen.preset,
            "columns": invitation.columns,
            "prior": None if invitation.prior is None else invitation.prior.sha256,
            "outlook": {"band": chosen.outlook.band, "hidden": chosen.outlook.hidden},
        },
        *cost(invitation),
        then=following.after_invite(federation, prior),
    )
    return 0


def _site(text: str) -> "Site":
    """From NAME=FILE."""
    from privgan.federation.invitation import Site
    from privgan.seals import key_line, load_public_key

    name, equals, file = text.partition("=")
    if not equals or not file:
        raise UsageError(f"Expected --site NAME=FILE, a name and a public key's file, got {text!r}.")
    before.require_key(Path(file))
    return Site(name=name, key=key_line(load_public_key(Path(file))))


def join(
    federation: Federation,
    cohort: Cohort,
    run: Annotated[Path, typer.Argument(help="The run folder to make, in which this site will answer.")],
    key: SiteKey,
    invited_by: Inviter,
    prior: Annotated[
        Path | None, typer.Option(help="The prior that the invitation names, a folder made by `privgan prior`.")
    ] = None,
    force: Force = False,
) -> int:
    """Say yes to an invitation, after checking it against the cohort and its ledger; spends nothing."""
    before.join(federation, cohort, run, (key, invited_by), prior, force=force)
    from privgan.data.cohort.cohort import open_cohort
    from privgan.federation.exchange import Exchange
    from privgan.federation.joining import join as join_federation
    from privgan.federation.letters import federation_of
    from privgan.gan.networks.public_prior import open_prior
    from privgan.seals import fingerprint, key_of_line, load_public_key
    from privgan_audits.strangers import require_strangers

    own, inviter, opened = read_key(key), load_public_key(invited_by), open_cohort(cohort)
    given = None if prior is None else open_prior(prior)
    if given is not None:
        require_strangers(given, opened, console.progress)
    exchange = Exchange(folder=federation)
    about = federation_of(exchange.invitation, inviter)
    asked = about.invitation
    if not console.as_json:
        console.result({}, *cost(asked))  # read before the yes is given, not after
    join_federation(exchange, opened, run, own, about, prior=given, force=force)
    keys = {site.name: fingerprint(key_of_line(site.key)) for site in asked.sites}
    console.result(
        {"run_id": about.run_id, **price(asked), "keys": keys},
        *(tr("site {name} signs with the key {fingerprint}", name=name, fingerprint=of) for name, of in keys.items()),
        tr("joined; nothing is charged before the first answer, then: {spend}", spend=asked.plan.spend()),
        then=following.after_join(federation, cohort, run, key, invited_by),
    )
    return 0


def answer(
    federation: Federation,
    cohort: Cohort,
    run: Annotated[Path, typer.Argument(help="The run folder that `privgan join` made.")],
    key: SiteKey,
    invited_by: Inviter,
    wait: Annotated[float, typer.Option(help="For so many minutes, if other sites have to answer first.")] = 0.0,
) -> int:
    """Answer what the federation asks next; the last answer of all makes the generator. 75 while others are due."""
    before.answer(federation, cohort, run, (key, invited_by), wait)
    from privgan.data.cohort.cohort import open_cohort
    from privgan.federation.exchange import Exchange
    from privgan.federation.together import answer as answer_questions
    from privgan.federation.together import patience
    from privgan.seals import load_public_key

    keys = read_key(key), load_public_key(invited_by)
    came = answer_questions(
        Exchange(folder=federation),
        open_cohort(cohort),
        run,
        keys,
        wait=patience(wait),
        progress=console.progress,
    )
    done = came.facts.state == "finished"
    console.result(
        {
            "run_id": came.facts.run_id,
            "state": came.facts.state,
            "answered": came.question,
            "questions": came.questions,
            "missing": list(came.missing),
            "epsilon": came.facts.spend.epsilon,
            "delta": came.facts.spend.delta,
        },
        *_came(came),
        then=following.after_answers(federation, run, key, invited_by)
        if done
        else following.after_join(federation, cohort, run, key, invited_by),
    )
    return 0 if done else WAITING


def _came(came: "Progressed") -> Iterator[str]:
    spend, missing = came.facts.spend, ", ".join(came.missing)
    if came.facts.state == "finished":
        yield tr("all {count} questions are answered: {spend}", count=came.questions, spend=spend)
        return
    if not came.joined:
        yield tr("nothing is charged yet; these sites have not joined: {names}", names=missing)
        return
    yield tr(
        "answered {count} of {questions} questions; all are charged: {spend}",
        count=came.question,
        questions=came.questions,
        spend=spend,
    )
    yield tr("these sites have to answer next: {names}", names=missing)


def sites(
    federation: Federation,
    invited_by: Inviter,
) -> int:
    """Say who has joined, answered what and agreed, and what is due of whom; needs no cohort."""
    before.sites(federation, invited_by)
    from privgan.federation.exchange import Exchange
    from privgan.federation.letters import federation_of
    from privgan.federation.standing import due, standing
    from privgan.seals import load_public_key
    from privgan_cli.line.evening import Evening, due_line
    from privgan_cli.verbs.joint import joint_of

    exchange = Exchange(folder=federation)
    about = federation_of(exchange.invitation, load_public_key(invited_by))
    found, questions = standing(exchange, about), len(about.invitation.noise)
    evening = Evening.of(joint_of(federation, invited_by), about)
    proposal, awaited = evening.proposal, due(found, questions, evening.agreed, evening.doubted)
    console.result(
        {
            "federation": about.sha256,
            "questions": questions,
            "sites": [asdict(each) for each in found],
            "proposed": "" if proposal is None else proposal.sha256,
            "proposed_by": "" if proposal is None else proposal.site.name,
            "words": [asdict(each) for each in evening.words],
            "due": asdict(awaited),
            "wrong": evening.wrong,
        },
        *(
            tr(
                "{name}: joined, {count} of {total} answers",
                name=each.site,
                count=each.answered,
                total=questions,
            )
            if each.joined
            else tr("{name}: has not joined", name=each.site)
            for each in found
        ),
        *(retold(reason) for each in found for reason in each.wrong),
        *evening.lines,
        due_line(awaited),
    )
    wrong = (evening.wrong, *(each.wrong for each in found), *(each.wrong for each in evening.words))
    return 6 if any(wrong) else 0
