"""What a patient spends whom several sites know, and what totals are worth: as the pages say it, and the verbs."""

import math
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from scipy.optimize import brentq
from scipy.stats import norm

from privgan.federation.exchange import Exchange
from privgan.federation.invitation import FILES, MASKED
from privgan.federation.inviting import invitation_for
from privgan.seals import public_pem
from privgan_cli.line.price import cost, price
from privgan_cli.verbs.federation import join
from tests.federation.hospitals import World
from tests.federation.test_joining import FORM, asked

DELTA = 1e-5
DOCS = Path(__file__).resolve().parents[2] / "docs"
GUARANTEE, EDGES, RECORD, GUIDE = (
    DOCS / page
    for page in (
        "explanation/guarantee-of-several-hospitals.md",
        "explanation/sharp-edges.md",
        "decisions/0050-several-hospitals.md",
        "how-to/several-hospitals.md",
    )
)


def delta_of(epsilon: float, mu: float) -> float:
    """Of a Gaussian mechanism whose answer moves by mu of its deviations (Dong, Roth and Su 2022, Corollary 2.13)."""
    return float(norm.cdf(-epsilon / mu + mu / 2) - math.exp(epsilon) * norm.cdf(-epsilon / mu - mu / 2))


def grown(epsilon: float, times: float) -> float:
    """What an epsilon is where the answer moves so many times as far: the slow twin, without the product's code."""
    mu = brentq(lambda each: delta_of(epsilon, each) - DELTA, 1e-2, 10)
    return float(brentq(lambda each: delta_of(each, times * mu) - DELTA, 1e-2, 100))


TIMES = {FILES: math.sqrt, MASKED: float}  # so many answers of one patient, or one total that moves so far


@pytest.mark.parametrize(
    ("transport", "known_to", "said", "pages"),
    [
        (FILES, 2, "4.46", (GUARANTEE, EDGES, RECORD)),
        (FILES, 3, "5.66", (GUARANTEE, RECORD)),
        (MASKED, 2, "6.71", (GUARANTEE, EDGES, RECORD)),
        (MASKED, 3, "10.98", (GUARANTEE, RECORD)),
    ],
)
def test_a_patient_of_k_sites_is_promised_what_the_pages_say(
    transport: str, known_to: int, said: str, pages: tuple[Path, ...]
) -> None:
    """Exactly of epsilon 3, and in the same proportion of what an invitation plans, which is a little less."""
    times = TIMES[transport](known_to)
    assert f"{grown(3.0, times):.2f}" == said
    assert all(said in page.read_text() for page in pages)
    invitation, _ = invitation_for(asked(patients=10_000, delta=DELTA, transport=transport), FORM)
    own = invitation.plan.spend().epsilon
    assert 2.9 < own <= 3.0
    assert invitation.epsilon_known_to(1) == own
    found = invitation.epsilon_known_to(known_to)
    assert found == pytest.approx(grown(own, times), rel=1e-6)
    assert found <= float(said)


@pytest.mark.parametrize(
    ("count", "row"),
    [(2, "| 2.03 | - |"), (3, "| 1.62 | 2.39, of 1 | 4.46 |"), (5, "5 | 1.22 | 2.25, of 2 | 5.66 |")],
)
def test_the_table_of_the_guide(count: int, row: str) -> None:
    """As noisy as; masked; and a masked answer without the noise of others."""
    colluding = (count - 1) // 2
    honest = count - colluding
    told = [grown(3.0, count**-0.5), grown(3.0, (honest / count) ** 0.5), grown(3.0, honest**0.5)]
    numbers = [f"{value:.2f}" for value in told[: 3 if count > 2 else 1]]
    assert all(number in row for number in numbers)
    assert row in GUIDE.read_text()


@pytest.mark.parametrize("transport", [FILES, MASKED])
def test_what_is_said_before_anything_is_charged(transport: str) -> None:
    """For people and for programs: how, how much, among how many, and what a patient of several sites spends."""
    invitation, _ = invitation_for(asked(transport=transport), FORM)
    told, text = price(invitation), "\n".join(cost(invitation))
    assert (told["transport"], told["patients"], told["questions"]) == (transport, 3000, len(invitation.noise))
    assert list(told["epsilon_if_known_to"]) == ["2", "3"]
    for known_to, epsilon in told["epsilon_if_known_to"].items():
        assert epsilon > told["epsilon"] > told["as_noisy_as"]
        assert f"a patient whom {known_to} of the sites know spends epsilon {epsilon:.3g}" in text
    assert "at most 3,000 patients" in text
    assert ("anybody may read" in text, "only the sum of all" in text) == (transport == FILES, transport == MASKED)
    assert f"{len(invitation.noise)} questions" in text
    assert f"as noisy as epsilon {told['as_noisy_as']:.3g}" in text
    assert ("tell each other all they know" in text) == (transport == MASKED)


@pytest.mark.parametrize(("count", "said"), [(3, "while no two sites tell"), (5, "while no more than 2 sites tell")])
def test_how_many_sites_may_tell_each_other_what_they_know(count: int, said: str) -> None:
    invitation, _ = invitation_for(asked(count, transport=MASKED), FORM)
    assert said in "\n".join(cost(invitation))


def test_the_price_is_told_before_a_site_says_yes(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of it, once; what was done comes after."""
    hospital = world.hospitals["north"]
    key, inviter = tmp_path / "north.key", tmp_path / "inviter.pub"
    key.write_bytes(hospital.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    inviter.write_bytes(public_pem(hospital.inviter.public_key()))
    told: list[str] = []
    inner = Exchange.say_yes

    def heard(self: Exchange, site: str, letter: bytes) -> None:
        told.append(capsys.readouterr().out)
        inner(self, site, letter)

    monkeypatch.setattr(Exchange, "say_yes", heard)
    assert join(world.exchange.folder, hospital.folder, hospital.run, key, inviter) == 0
    assert told == ["".join(f"{line}\n" for line in cost(world.federation.invitation))]
    after = capsys.readouterr().out
    assert "joined; nothing is charged" in after
    assert "a patient whom" not in after
