"""doctor: is this machine ready, and what would be missed if something is not there."""

import importlib.metadata
import platform
import shutil
import sys

from privgan import __version__
from privgan_cli.console import console

_LIBRARIES = ("torch", "opacus", "dp-accounting", "pydicom", "numpy", "cryptography", "randomgen", "safetensors")
_OPTIONAL = {"dciodvfy": "checks written DICOM against the standard", "openssl": "checks bundles without privgan"}


def doctor() -> int:
    """Versions, codecs, accelerator, entropy source and optional tools."""
    import torch

    from privgan.dp.noise import secure_generator

    versions = {name: _version(name) for name in _LIBRARIES}
    accelerator = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    codecs = _codecs()
    tools = {name: shutil.which(name) is not None for name in _OPTIONAL}
    secure_generator().random()  # raises if the cryptographic generator cannot be keyed
    console.result(
        {
            "privgan": __version__,
            "python": platform.python_version(),
            "libraries": versions,
            "accelerator": accelerator,
            "threads": torch.get_num_threads(),
            "entropy": "ChaCha20, keyed by the operating system",
            "codecs": codecs,
            "tools": tools,
        },
        f"privgan {__version__}, Python {platform.python_version()} on {sys.platform}",
        *(f"  {name} {version}" for name, version in versions.items()),
        f"accelerator: {accelerator or 'none, the processor is used'} ({torch.get_num_threads()} threads)",
        "noise and draws: ChaCha20, keyed by the operating system",
        f"transfer syntaxes: {', '.join(codecs)}",
        *(f"{name}: {'found' if there else 'not found'} ({_OPTIONAL[name]})" for name, there in tools.items()),
    )
    return 0 if all(versions.values()) else 1


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _codecs() -> list[str]:
    from privgan.data.dicom_reader import READABLE

    return [uid.name for uid in READABLE]
