"""Which question of the usual guidance each part of this report is evidence for; it draws no legal conclusion.

Sources: Article 29 Working Party, Opinion 05/2014 (WP 216); EDPB, Opinion 28/2024; NIST SP 800-226 (2025);
45 CFR 164.514(b)(1) and the guidance of the US Department of Health on it (2012); ISO/IEC 27559:2022.
"""

from privgan.language import to_tr

REGULATORS: tuple[tuple[str, str, str], ...] = to_tr(
    (
        (
            "Singling out (WP29 05/2014)",
            "Can one person be isolated in the data?",
            "epsilon; T1, T2, T12, and their limits of detection",
        ),
        ("Linkability (WP29 05/2014)", "Can two records be seen to be of one person?", "epsilon; T7, T10"),
        ("Inference (WP29 05/2014)", "Can a value be deduced about a person?", "epsilon; T3, T4, T8"),
        (
            "Likelihood by queries, all means reasonably likely (EDPB 28/2024)",
            "Is extraction of a person insignificant, case by case, and documented?",
            "the whole report; what is not covered; the attackers of the threat model",
        ),
        (
            "Privacy parameters (NIST SP 800-226)",
            "Epsilon, delta, unit, neighbouring datasets, trust model",
            "the promise; the ledger: patient, zero-out, one trusted machine",
        ),
        (
            "Privacy hazards (NIST SP 800-226)",
            "Floating point, random numbers, what else touched the data",
            "T6; the ledger's queries; the guarantee's documentation",
        ),
        (
            "Expert determination (45 CFR 164.514)",
            "Who judged the risk very small, by which method, with which result?",
            "the sign-off: a named person; thresholds with their sources; every number in the appendix",
        ),
        (
            "Governance before and after release (ISO/IEC 27559)",
            "Context, purpose, recipient, review",
            "the sign-off: purpose, recipient, last day of validity; withdrawal by privgan revoke",
        ),
    )
)
NO_CONCLUSION = to_tr(
    "The left column names the guidance, not its answer: whether a risk is small enough for a purpose is for the "
    "person who signs."
)
