"""A prior's detail network, taught some more steps on public images that were brought to what patients are like."""

from collections.abc import Callable

import torch

from privgan.gan.finishing.brought import Released, brought
from privgan.gan.finishing.learning import Lesson, learn_step
from privgan.gan.finishing.settings import LearningSettings
from privgan.gan.networks.finish import Finish
from privgan.gan.networks.public_prior import Prior
from privgan.images.blocks import at_once
from privgan.language import to_tr, tr
from privgan.progress import Progress

_MOST = 5000  # public images that are brought, fewer of large ones: steps see hardly more
# Steps after which a moving average hardly hurries: what is kept goes a quarter of the way in 150 steps, also where a
# prior learned for so few that its own average would have followed at once.
_SETTLED = 100_000
_TASK = to_tr("learning the patients' kind of detail from public images")


def adapted(
    prior: Prior,
    patients: Released,
    settings: LearningSettings,
    torch_rng: torch.Generator,
    ask_to_go_on: Callable[[], None],
    progress: Progress,
) -> Finish:
    """The network after `settings.steps` further steps, on the CPU; it learns where `patients.start` computes.

    ask_to_go_on: called after every step; raises where it should stop, and nothing that was learned is kept then.
    """
    most = at_once(_MOST, prior.facts.form.side)
    chosen = torch.randperm(len(prior.images), generator=torch_rng)[:most].sort().values.numpy()
    material = brought(prior.images[chosen], patients, torch_rng, progress)
    shape, device = prior.facts.shape, patients.start.basis.device
    lesson = Lesson.begin(shape.side, shape.channels, settings, device)
    learned = prior.network().state_dict()
    for network in (lesson.network, lesson.average):
        network.load_state_dict(learned)
    lesson.step = _SETTLED
    for number in range(settings.steps):
        batch = material.batch(settings.batch, torch_rng, device)
        z = torch.randn(len(batch.start), shape.latent, generator=torch_rng).to(device)
        learn_step(lesson, batch, z, settings, done=0.0)
        progress(tr(_TASK), number + 1, settings.steps)
        ask_to_go_on()
    return lesson.average.to("cpu").eval()
