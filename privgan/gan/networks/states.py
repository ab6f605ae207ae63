"""What every learning does with its networks: where it computes, what it averages, what it saves to go on."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from privgan.errors import UsageError
from privgan.gan.networks.descent import Adam, Slots

_MARGIN = 10  # a moving average starts short, so that it can leave its starting point

Networks = Mapping[str, nn.Module]
Optimisers = Mapping[str, Adam]


def device_of(name: str) -> torch.device:
    """The device that `auto`, `cpu` or `cuda` stands for on this machine.

    Raises:
        UsageError: `cuda`, and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("Expected a CUDA device for --device cuda, torch finds none. Use --device auto or cpu.")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def follow(average: nn.Module, network: nn.Module, *, decay: float, seen: int) -> None:
    """Move a moving average of parameters towards those of a network, after so many steps."""
    weight = 1 - min(decay, (1 + seen) / (_MARGIN + seen))
    with torch.no_grad():
        for mean, value in zip(average.parameters(), network.parameters(), strict=True):
            mean.lerp_(value, weight)


def tensors_of(networks: Networks, optimisers: Optimisers) -> dict[str, Tensor]:
    """Everything that they hold, by name."""
    tensors = {f"{name}.{key}": value for name, net in networks.items() for key, value in net.state_dict().items()}
    for name, optimiser in optimisers.items():
        for number, slots in optimiser.slots.items():
            tensors |= {f"{name}.{number}.{slot}": value for slot, value in slots.items()}
    return tensors


def filled(network: nn.Module, weights: Path) -> bool:
    """Fill a network with a safetensors file; False where what lies there is no weights of it."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        network.load_state_dict(load_file(weights), strict=True)
    except (SafetensorError, RuntimeError, KeyError):
        return False
    return True


def fill(networks: Networks, optimisers: Optimisers, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `tensors_of`; what else is among the tensors stays aside.

    Raises:
        KeyError, RuntimeError: they are of other networks or optimisers.
    """
    for name, network in networks.items():
        network.load_state_dict({key: tensors[f"{name}.{key}"] for key in network.state_dict()})
    for name, optimiser in optimisers.items():
        slots: dict[int, Slots] = {}
        for key in (key for key in tensors if key.startswith(f"{name}.")):
            _, number, slot = key.split(".")
            slots.setdefault(int(number), {})[slot] = tensors[key]
        optimiser.fill(slots)
