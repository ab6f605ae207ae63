"""doctor: is this machine ready, and what would be missed if something is not there."""

import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from privgan import __version__
from privgan.errors import AuditFailedError
from privgan_cli.console import console
from privgan_cli.line import following

if TYPE_CHECKING:
    from privgan.attack.releases import Finding

_LIBRARIES = ("torch", "dp-accounting", "pydicom", "numpy", "cryptography", "randomgen", "safetensors")
_OPTIONAL = {"dciodvfy": "checks written DICOM against the standard", "openssl": "checks bundles without privgan"}
_EXTRAS = {  # what must be importable, and what it is for
    "archive": (("pynetdicom", "dicomweb_client"), "send and fetch"),
    "encoder": (("onnxruntime",), "an image encoder of your own"),
    "jpeg-lossless": (("gdcm",), "DICOM files in JPEG Lossless"),
    "nifti": (("nibabel",), "NIfTI volumes"),
}
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
    extras = {name: all(map(importlib.util.find_spec, modules)) for name, (modules, _) in _EXTRAS.items()}
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
        f"privgan {__version__}, Python {platform.python_version()} on {sys.platform}",
        *(f"  {name} {version}" for name, version in versions.items()),
        f"accelerator: {accelerator or 'none, the processor is used'} ({torch.get_num_threads()} threads)",
        "noise and draws: ChaCha20, keyed by the operating system",
        f"transfer syntaxes: {', '.join(codecs)}",
        *([f"not readable here: {', '.join(missing)}"] if missing else []),
        *(f"privgan[{name}]: {_found(there)} ({_EXTRAS[name][1]})" for name, there in extras.items()),
        *(f"{name}: {_found(there)} ({_OPTIONAL[name]})" for name, there in tools.items()),
        *_in_words(findings or ()),
        then=following.command("demo") if code == 0 else "",
    )
    return code


def _found(there: bool) -> str:
    return "found" if there else "not found"


def _attack() -> "tuple[Finding, ...]":
    from privgan.attack.laboratory import Laboratory
    from privgan.attack.mechanism import attack_mechanism
    from privgan.dp.noise import secure_generator
    from privgan.gan.networks.states import device_of

    laboratory = Laboratory.build(_ATTACK_SIZE, device_of("auto"))
    console.note(f"Attacking the training step: {4 * _ATTACK_STEPS} steps on phantoms, about a minute")
    return attack_mechanism(laboratory, secure_generator(), steps=_ATTACK_STEPS, progress=console.progress)


def _in_words(findings: "Sequence[Finding]") -> list[str]:
    if not findings:
        return []
    from privgan.attack.releases import FAMILY_ERROR

    lines = [
        "",
        f"This machine's private training step, attacked over {4 * _ATTACK_STEPS} steps on phantoms.",
        "C: the most that a patient may add to a sum. sigma: the noise, in units of C. mu: 1 / sigma for one step.",
    ]
    for finding in findings:
        lines += [
            f"{'passed' if finding.passed else 'FAILED'}  {finding.name}",
            f"        tried     to {finding.tried}",
            f"        seen      {finding.measured}",
            f"        expected  {finding.expected}",
        ]
    broken = [finding.name for finding in findings if not finding.passed]
    if broken:
        return [*lines, f"FAIL: {', '.join(broken)}. Do not train on patients with this machine."]
    return [
        *lines,
        f"No attack succeeded. A sound mechanism fails here by chance at most once in {1 / FAMILY_ERROR:.0f} tries.",
    ]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _codecs() -> tuple[list[str], list[str]]:
    """Transfer syntaxes that are read here, and those whose decoder is missing."""
    from privgan.data.formats.dicom.syntaxes import missing_here, readable_here

    return readable_here(), missing_here()
