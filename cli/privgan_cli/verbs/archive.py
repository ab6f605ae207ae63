"""send, fetch: a released bundle into a real archive, and a hospital's images out of one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privgan.errors import UsageError
from privgan.language import tr
from privgan_cli import before
from privgan_cli.console import console
from privgan_cli.line import following
from privgan_cli.options import today

if TYPE_CHECKING:
    from privgan.archive.access import Access
    from privgan.archive.destination import Peer, WebService
    from privgan_audits.release.sending import Parcel

TokenFile = Annotated[Path | None, typer.Option(help="File (0600) with the token for a DICOMweb service.")]
Ca = Annotated[Path | None, typer.Option(help="Certificates to trust instead of the usual ones, PEM.")]
ClientCert = Annotated[Path | None, typer.Option(help="Our own certificate, PEM.")]
ClientKey = Annotated[Path | None, typer.Option(help="Its key (0600), PEM, without a passphrase.")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", help="How long the archive may be silent.")]


def send(
    bundle: Annotated[Path, typer.Argument(help="A released bundle.")],
    public_key: Annotated[list[Path], typer.Option(help="The hospital's public key; of several, each one's.")],
    to: Annotated[str, typer.Option(metavar="URL|TITLE@HOST:PORT", help="A DICOMweb service or a DICOM archive.")],
    officer_key: Annotated[
        list[Path] | None, typer.Option(help="The privacy officer's, too: demands an approval.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Verify, say what would go, and send nothing.")] = False,
    echo: Annotated[bool, typer.Option("--echo", help="With --dry-run: ask whether the archive is there.")] = False,
    calling: Annotated[str, typer.Option(metavar="TITLE", help="Our own AE title; PRIVGAN if left out.")] = "",
    tls: Annotated[bool, typer.Option("--tls", help="TLS for TITLE@HOST:PORT.")] = False,
    token_file: TokenFile = None,
    ca: Ca = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    timeout: Timeout = 30.0,
) -> int:
    """Verify a bundle and store its DICOM files in an archive, by STOW-RS or C-STORE; run again to send the rest."""
    from privgan.archive.access import Access, read_token
    from privgan.archive.destination import parse_destination
    from privgan_audits.release.sending import Parcel
    from privgan_audits.release.sending import send as send_bundle

    if echo and not dry_run:
        raise UsageError("Expected --echo with --dry-run: to send is to find out whether the archive is there.")
    access = Access(
        token=read_token(token_file) if token_file else "",
        ca=ca,
        certificate=client_cert,
        key=client_key,
        tls=tls,
        calling=calling,
        timeout_s=timeout,
    )
    officers = officer_key or []
    before.verify(bundle, [*public_key, *officers])
    parcel = Parcel(bundle=bundle, public_keys=public_key, officer_keys=officers, today=today())
    if dry_run:
        return _preview(parcel, parse_destination(to), access, ask=echo)
    done = send_bundle(parcel, parse_destination(to), access, console.progress)
    console.result(
        {
            "instances": done.instances,
            "stored": done.stored,
            "stored_before": done.stored_before,
            "rejected": done.rejected,
            "journal": str(done.journal),
        },
        tr(
            "the archive has {there} of {instances} instances, {stored} since now",
            there=done.stored + done.stored_before,
            instances=done.instances,
            stored=done.stored,
        ),
        *(tr("  {count:6d}  rejected: {reason}", count=count, reason=why) for why, count in done.rejected.items()),
        tr("journal: {file}", file=done.journal),
        then=following.command(*console.told.typed) if done.rejected else "",
    )
    return 5 if done.rejected else 0


def _preview(parcel: "Parcel", destination: "WebService | Peer", access: "Access", *, ask: bool) -> int:
    from privgan_audits.release.sending import preview

    found = preview(parcel, destination, access, ask=ask, progress=console.progress)
    waiting = found.instances - found.stored_before
    console.result(
        {
            "instances": found.instances,
            "bytes": found.size,
            "stored_before": found.stored_before,
            "answered": found.answered,
            "sent": False,
        },
        tr(
            "intact: {waiting} of {instances} instances would go to {destination}",
            waiting=waiting,
            instances=found.instances,
            destination=destination,
        ),
        tr("all of them are {size} MB", size=f"{found.size / 1e6:.1f}"),
        tr("the archive is there and talks to us") if ask else tr("the archive was not asked: --echo asks it"),
        tr("nothing was sent"),
    )
    return 0


def fetch(
    url: Annotated[str, typer.Argument(help="The address of a DICOMweb service.")],
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
    query: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="What to look for; may be given several times.")
    ] = None,
    patients: Annotated[Path | None, typer.Option(help="File (0600) with patient numbers, one a line.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many instances.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a folder that was begun.")] = False,
    token_file: TokenFile = None,
    ca: Ca = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    timeout: Timeout = 30.0,
) -> int:
    """Fetch a hospital's images from its archive by QIDO-RS and WADO-RS into a folder that scan and prepare read."""
    from privgan.archive.access import Access, read_token
    from privgan.archive.destination import parse_service
    from privgan.archive.fetching import Wanted, require_place
    from privgan.archive.fetching import fetch as fetch_images
    from privgan.archive.query import Query
    from privgan.archive.web import WebArchive
    from privgan.data.refusals import MAX_FILE_BYTES

    service = parse_service(url)
    wanted = Wanted(query=Query.of(query or [], patients), limit=limit, largest_bytes=MAX_FILE_BYTES)
    access = Access(
        token=read_token(token_file) if token_file else "",
        ca=ca,
        certificate=client_cert,
        key=client_key,
        timeout_s=timeout,
    )
    access.require_fitting(service)
    if not service.sheltered:
        console.warn(tr("Patients' images will cross the network unencrypted: everybody on the way can read them."))
    require_place(folder, resume=resume)
    done = fetch_images(WebArchive(service, access), folder, wanted, resume=resume, progress=console.progress)
    files = done.fetched + done.fetched_before
    console.result(
        {
            "folder": str(folder),
            "found": done.found,
            "fetched": done.fetched,
            "fetched_before": done.fetched_before,
            "fetched_bytes": done.fetched_bytes,
            "not_given": done.not_given,
        },
        tr(
            "{found} instances match, {files} are in {folder}, {fetched} since now",
            found=done.found,
            files=files,
            folder=folder,
            fetched=done.fetched,
        ),
        *(
            tr("  {count:6d}  not given: {reason}", count=count, reason=code)
            for code, count in done.not_given.items()
        ),
        then=following.command("scan", folder) if files else "",
    )
    return 0 if files else 5
