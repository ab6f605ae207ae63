"""Generators, discriminators and their files; these names are what the rest of privgan knows of them."""

from privgan.gan.networks.discriminators import Discriminator
from privgan.gan.networks.generators import Generator, GeneratorConfig, fakes_at_once, placed
from privgan.gan.networks.saving import LoadedGenerator, load_generator, save_generator

__all__ = [
    "Discriminator",
    "Generator",
    "GeneratorConfig",
    "LoadedGenerator",
    "fakes_at_once",
    "load_generator",
    "placed",
    "save_generator",
]
