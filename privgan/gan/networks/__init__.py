"""Generators, discriminators and their files; these names are what the rest of privgan knows of them."""

from privgan.gan.networks.discriminators import Discriminator
from privgan.gan.networks.generators import FAKES_AT_ONCE, Generator, GeneratorConfig, placed
from privgan.gan.networks.saving import LoadedGenerator, load_generator, save_generator

__all__ = [
    "FAKES_AT_ONCE",
    "Discriminator",
    "Generator",
    "GeneratorConfig",
    "LoadedGenerator",
    "load_generator",
    "placed",
    "save_generator",
]
