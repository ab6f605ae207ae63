"""What each verdict means in one sentence, and what to do after it."""

from dataclasses import dataclass

from privgan.language import to_tr, tr


@dataclass(frozen=True, kw_only=True)
class VerdictWords:
    """One verdict: its sentence, and what to do next."""

    headline: str
    next_steps: tuple[str, ...]

    @property
    def spoken(self) -> "VerdictWords":
        """In the current language."""
        return VerdictWords(headline=tr(self.headline), next_steps=tuple(map(tr, self.next_steps)))


VERDICTS = {
    "PASS": VerdictWords(
        headline="No attack in this audit found a patient in the synthetic images, and copies of a small group of "
        "patients would have been noticed if they were exact, mirrored, or changed in one of the ways named below as "
        "seen; any other leak is left to epsilon.",
        next_steps=(
            (
                "Decide whether purpose and recipient justify what remains: the promise in odds, and what is not "
                "covered."
            ),
            "Look at the blinded pairs yourself, before you read the key.",
            (
                "Approve this report with your own key (privgan approve) and let the engineer release the set "
                "(privgan release). It judges once more by itself."
            ),
        ),
    ),
    "PASS-empirical": VerdictWords(
        headline="No attack in this audit found a patient, but nothing here promises differential privacy: an attack "
        "that was not tried may still succeed.",
        next_steps=(
            "Treat this as a test result, not as a guarantee. privgan does not release from files alone.",
            "For a release, prepare a cohort with privgan, train on it and audit that set.",
        ),
    ),
    "FAIL": VerdictWords(
        headline="Do not share these images: the audit found a leak or a broken promise.",
        next_steps=(
            (
                "Keep the synthetic set inside. The reasons above say which question failed; its card says what was "
                "seen."
            ),
            "Find the cause before generating again: too little noise, too long a training, a copied file.",
            (
                "Do not search for a set that happens to pass: attempts are counted, and each must be able to see a "
                "leak at a smaller error."
            ),
        ),
    ),
    "INVALID": VerdictWords(
        headline="This audit cannot be used: its own controls failed, so that its numbers do not mean what they say.",
        next_steps=(
            "Usually members and non-members differ by more than chance: another scanner, site, year or export.",
            "Prepare the cohort again from one homogeneous source, so that privgan splits it itself by lot.",
        ),
    ),
    "INCONCLUSIVE": VerdictWords(
        headline="No leak was proved, but the audit was too weak or incomplete to say that there is none.",
        next_steps=(
            "Do not share these images. Usually the cohort is too small, or evidence was missing.",
            "The reasons above say which question could not be answered.",
            "privgan plan tells for any number of patients what an audit could see.",
        ),
    ),
}

PUBLIC_HEADLINE = to_tr(
    "No attack in this audit found a patient in these images, and copies of a small group of patients would have "
    "been noticed; any other leak is left to epsilon."
)


@dataclass(frozen=True, kw_only=True)
class OutcomeWords:
    """How the state of a question is shown; `mark` is read aloud together with the label."""

    label: str
    tone: str
    mark: str

    @property
    def spoken(self) -> "OutcomeWords":
        """In the current language."""
        return OutcomeWords(label=tr(self.label), tone=self.tone, mark=self.mark)


# By what the verdict says against a test, or by its outcome when it says nothing.
STATES = {
    "FAIL": OutcomeWords(label="failed", tone="fail", mark="✕"),
    "INVALID": OutcomeWords(label="control failed", tone="fail", mark="✕"),
    "INCONCLUSIVE": OutcomeWords(label="not enough", tone="open", mark="?"),
    "measured": OutcomeWords(label="nothing found", tone="pass", mark="✓"),
    "informative": OutcomeWords(label="for information", tone="none", mark="i"),
    "not-applicable": OutcomeWords(label="does not apply", tone="none", mark="–"),
    "not-run": OutcomeWords(label="not run", tone="open", mark="?"),
    "public": OutcomeWords(label="told inside", tone="none", mark="•"),
    "void": OutcomeWords(label="means nothing", tone="none", mark="–"),
}
NOT_RUN = to_tr("This question had no evidence to work on.")
NOT_APPLICABLE = to_tr("The question does not arise here.")
