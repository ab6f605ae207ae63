"""doctor: is this machine ready, and what would be missed if something is not there."""

import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from privgan import __version__
from privgan.errors import AuditFailedError
from privgan.language import retold, to_tr, tr
from privgan_cli.console import console
from privgan_cli.line import following

if TYPE_CHECKING:
    from privgan.attack.releases import Finding

_LIBRARIES = ("torch", "dp-accounting", "pydicom", "numpy", "cryptography", "randomgen", "safetensors")
_OPTIONAL = to_tr(
    {"dciodvfy": "checks written DICOM against the standard", "openssl": "checks bundles without privgan"}
)
_EXTRAS = {  # what must be importable
    "archive": ("pynetdicom", "dicomweb_client"),
    "encoder": ("onnxruntime",),
    "jpeg-lossless": ("gdcm",),
    "nifti": ("nibabel",),
    "nvflare": ("nvflare",),
    "uses": ("onnx", "skimage"),
}
_USES = to_tr(
    {
        "archive": "send and fetch",
        "encoder": "an image encoder of your own",
        "jpeg-lossless": "DICOM files in JPEG Lossless",
        "nifti": "NIfTI volumes",
        "nvflare": "letters between hospitals by NVFlare",
        "uses": "teach, and enhance evaluate",
    }
)
_ATTACK_SIZE, _ATTACK_STEPS = 16, 3000  # half a minute on one core, a second half for slower ones


def doctor(
    attack_mechanism: Annotated[
        bool, typer.Option("--attack-mechanism", help="Attack this machine's private training step; about a minute.")
    ] = False,
) -> int:
    """Versions, codecs, accelerator, entropy source and optional tools; on request an attack on the mechanism."""
    import torch

    from privgan.dp.noise import secure_generator

    versions = {name: _version(name) for name in _LIBRARIES}
    accelerator = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    codecs, missing = _codecs()
    tools = {name: shutil.which(name) is not None for name in _OPTIONAL}
    extras = {name: all(map(importlib.util.find_spec, modules)) for name, modules in _EXTRAS.items()}
    secure_generator().random()  # raises if the cryptographic generator cannot be keyed
    findings = _attack() if attack_mechanism else None
    sound = all(finding.passed for finding in findings or ())
    code = AuditFailedError.exit_code if not sound else 0 if all(versions.values()) else 1
    console.result(
        {
            "privgan": __version__,
            "python": platform.python_version(),
            "libraries": versions,
            "accelerator": accelerator,
            "threads": torch.get_num_threads(),
            "entropy": "ChaCha20, keyed by the operating system",
            "codecs": codecs,
            "codecs_missing": missing,
            "tools": tools,
            "extras": extras,
            **({} if findings is None else {"attacks": [finding.to_json() for finding in findings]}),
        },
        tr(
            "privgan {version}, Python {python} on {system}",
            version=__version__,
            python=platform.python_version(),
            system=sys.platform,
        ),
        *(f"  {name} {version}" for name, version in versions.items()),
        tr(
            "accelerator: {accelerator} ({threads} threads)",
            accelerator=accelerator or tr("none, the processor is used"),
            threads=torch.get_num_threads(),
        ),
        tr("noise and draws: ChaCha20, keyed by the operating system"),
        tr("transfer syntaxes: {names}", names=tr(", ").join(codecs)),
        *([tr("not readable here: {names}", names=tr(", ").join(missing))] if missing else []),
        *(_found(f"privgan[{name}]", there, _USES[name]) for name, there in extras.items()),
        *(_found(name, there, _OPTIONAL[name]) for name, there in tools.items()),
        *_in_words(findings or ()),
        then=following.command("demo") if code == 0 else "",
    )
    return code


def _found(name: str, there: bool, use: str) -> str:
    if there:
        return tr("{name}: found ({use})", name=name, use=tr(use))
    return tr("{name}: not found ({use})", name=name, use=tr(use))


def _attack() -> "tuple[Finding, ...]":
    from privgan.attack.laboratory import Laboratory
    from privgan.attack.mechanism import attack_mechanism
    from privgan.dp.noise import secure_generator
    from privgan.gan.networks.states import device_of

    laboratory = Laboratory.build(_ATTACK_SIZE, device_of("auto"))
    console.note(
        tr("Attacking the training step: {count} steps on phantoms, about a minute", count=4 * _ATTACK_STEPS)
    )
    return attack_mechanism(laboratory, secure_generator(), steps=_ATTACK_STEPS, progress=console.progress)


def _in_words(findings: "Sequence[Finding]") -> list[str]:
    if not findings:
        return []
    from privgan.attack.releases import FAMILY_ERROR

    lines = [
        "",
        tr("This machine's private training step, attacked over {count} steps on phantoms.", count=4 * _ATTACK_STEPS),
        tr(
            "C: the most that a patient may add to a sum. sigma: the noise, in units of C. mu: 1 / sigma for one "
            "step."
        ),
        *(line for finding in findings for line in _told(finding)),
    ]
    broken = [tr(finding.name) for finding in findings if not finding.passed]
    if broken:
        return [
            *lines,
            tr("FAIL: {names}. Do not train on patients with this machine.", names=tr(", ").join(broken)),
        ]
    return [
        *lines,
        tr(
            "No attack succeeded. A sound mechanism fails here by chance at most once in {count} tries.",
            count=f"{1 / FAMILY_ERROR:.0f}",
        ),
    ]


def _told(finding: "Finding") -> Iterator[str]:
    name = tr(finding.name)
    yield tr("passed  {name}", name=name) if finding.passed else tr("FAILED  {name}", name=name)
    yield tr("        tried     to {deed}", deed=retold(finding.tried))
    yield tr("        seen      {result}", result=retold(finding.measured))
    yield tr("        expected  {result}", result=retold(finding.expected))


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _codecs() -> tuple[list[str], list[str]]:
    """Transfer syntaxes that are read here, and those whose decoder is missing."""
    from privgan.data.formats.dicom.syntaxes import missing_here, readable_here

    return readable_here(), missing_here()
