"""The keys of a record as words, wherever a page shows one that no label names."""

from privgan.language import to_tr, tr

KEYS = to_tr(
    (
        *(
            "auc",
            "auc interval",
            "auc lower",
            "auc upper",
            "cells",
            "classifier",
            "coarse shapes",
            "covered",
            "density ratio",
            "discriminator",
            "distance",
            "distance at start",
            "distance in embedding",
            "distance in encoder",
            "distance in pixels",
            "embedding",
            "encoder",
            "exact",
            "expected when safe",
            "fine detail",
            "hashes",
            "inversion",
            "measured",
            "members",
            "moved images",
            "moved parts",
            "non members",
            "not measured",
            "p",
            "parts",
            "patches",
            "pixels",
            "range when safe",
            "sd when safe",
            "share",
            "small parts",
            "tpr",
        ),
        *("epsilon lower bound", "largest provable epsilon"),
        *(
            "date shifted",
            "patid consistent",
            "pixels hidden",
            "pixels retained",
            "tag retained",
            "text notnull",
            "text removed",
            "text retained",
            "uid changed",
            "uid consistent",
        ),
        *("name", "name part", "identifier", "uid", "date", "place", "device", "text", "file name"),
        *(
            "arrays",
            "contact sheet",
            "labels table",
            "card",
            "manifest",
            "extra files",
            "missing files",
            "header",
            "label",
            "patient",
        ),
        *(
            "unreadable",
            "nonconformant",
            "missing elements",
            "private tags",
            "unexpected elements",
            "unexpected text",
            "preamble",
            "not marked synthetic",
            "burned in annotation",
        ),
        *(
            "link target",
            "extended attribute",
            "zip comment",
            "member name",
            "member comment",
            "cell",
            "array text",
            "array date",
            "array number",
            "bytes",
            "entry",
        ),
        *(
            "form is the cohorts",
            "unit is the patient",
            "adjacency is zero out",
            "noise is not seeded",
            "cohort is the claims",
            "run is charged once",
            "delta is the charged one",
            "run is closed once",
            "generator is the closed one",
            "configuration is the closed one",
            "members are the ledgers",
            "generator is the runs",
            "epsilon covers the ledger",
            "delta is small or accepted",
            "manifest is the runs",
            "labels are the seeds",
            "images are the generators",
            "rounding is a machines",
        ),
        *(
            "flip",
            "noise 4 percent",
            "gamma 1 8",
            "left half",
            "blend 30 percent",
            "shift 6 percent",
            "rotation 10 degrees",
        ),
        *("small p near copies", "small p membership", "split p", "resplits"),
        *("auc se when safe", "tpr lower", "largest advantage lower", "largest advantage upper"),
        *("claimed epsilon", "cohort total epsilon", "cohort filter epsilon", "images drawn again"),
        *("copies of members", "copies of other patients", "exact copies", "near copies"),
        *("identifiers found", "unreadable entries", "files"),
    )
)


def humanised(key: str) -> str:
    """A JSON key as words.

    >>> humanised("constant_images")
    'constant images'
    """
    return key.replace("_", " ")


def keyword(key: str) -> str:
    """A JSON key or word of privgan's own in the current language; any other one as words, as it is.

    >>> keyword("constant_images")
    'constant images'
    """
    words = humanised(key)
    return tr(words) if words in KEYS else words
