"""Each question of the audit: what an attacker tries, what would have been caught, and whose question it is."""

from dataclasses import dataclass

CONTROLS, SINGLING_OUT, LINKABILITY, INFERENCE, PROMISE = range(5)

GROUPS = {
    CONTROLS: ("Can this audit be believed?", "Before anybody is attacked, the audit attacks itself."),
    SINGLING_OUT: (
        "Can a patient be singled out?",
        "Is there a synthetic image, or a pattern in all of them, that exists because of one patient?",
    ),
    LINKABILITY: (
        "Can an image be linked to a person?",
        "Does anything in the images or in their files lead back to a name, a number or a face?",
    ),
    INFERENCE: (
        "Can something be learned about a patient?",
        "Can a fact about one patient be read off the set better than about somebody who was never in it?",
    ),
    PROMISE: ("Is the promise kept?", "Differential privacy is a claim about the training. Its books are checked."),
}


@dataclass(frozen=True, kw_only=True)
class QuestionWords:
    """One test: the question, what an attacker tries, what would have been caught, and the group it belongs to.

    short: for a list. good: how its state is called when the verdict says nothing against it.
    """

    title: str
    short: str
    tries: str
    caught: str
    group: int
    good: str = "nothing found"


TESTS = {
    "T0": QuestionWords(
        title="Would this audit have noticed a leak?",
        short="The audit tests itself",
        tries="Nothing: here the audit plants copies of real patients among the synthetic images and looks "
        "whether it finds them, and it compares groups that cannot differ and looks whether it stays silent.",
        caught="Members and non-members who differ for another reason than training (scanner, site, year), and tests "
        "that cry wolf.",
        group=CONTROLS,
        good="works",
    ),
    "T1": QuestionWords(
        title="Is a real image among the synthetic ones?",
        short="Exact copies",
        tries="Looks every synthetic image up among real ones, also mirrored, turned by right angles, inverted, "
        "brighter or darker.",
        caught="Any such copy, even a single one. Not: a copy with one changed pixel, or whose greys were merged or "
        "clipped; those are the next question's.",
        group=SINGLING_OUT,
    ),
    "T2": QuestionWords(
        title="Do synthetic images come suspiciously close to patients who were learned from?",
        short="Near copies",
        tries="Searches the synthetic images for near-copies of patients: pixel by pixel, and with a small "
        "network that learned on the spot to know an image again when it is turned, cropped, brightened or "
        "noisy.",
        caught="A group of near-copied patients at least as large as the limit of detection.",
        group=SINGLING_OUT,
    ),
    "T3": QuestionWords(
        title="Can someone tell who was in the training data?",
        short="Membership, from the images",
        tries="Holds an image of a person and guesses from the synthetic images whether that person was a member: by "
        "the distance to the nearest ones, by how densely they lie around it, by a classifier, and by all together.",
        caught="An advantage over guessing that touches many members a little or a few members a lot.",
        group=INFERENCE,
    ),
    "T4": QuestionWords(
        title="Could someone who stole the networks tell who was in the training data?",
        short="Membership, from the networks",
        tries="Takes the two networks of the training, which never leave the hospital. Asks the one that was "
        "trained to know real images how real a person's image looks, and searches the other for the input that "
        "draws it best.",
        caught="Networks that remember their members by more than epsilon permits. Only that counts for the verdict, "
        "because the networks stay inside.",
        group=INFERENCE,
        good="within epsilon",
    ),
    "T6": QuestionWords(
        title="Is the privacy promise true to its books?",
        short="The books behind epsilon",
        tries="Looks for a promise that the accounting does not carry: a wrong unit, training off the books, a seed "
        "that replays the noise.",
        caught="A claim that the cohort's ledger does not support, and a generator that is not the charged one.",
        group=PROMISE,
        good="holds",
    ),
    "T7": QuestionWords(
        title="Can another image of a patient be recognised in the set?",
        short="Re-identification",
        tries="Holds another image of a person, taken on another day, and looks for that person among the "
        "synthetic images with a detector that learned, on other patients, what stays the same between two "
        "images of one patient.",
        caught="Members who are recognised more often than patients who were never learned from, as far as the "
        "detector can recognise anybody.",
        group=LINKABILITY,
    ),
    "T8": QuestionWords(
        title="Can a hidden fact about a patient be read off the set?",
        short="Attribute disclosure",
        tries="Holds a person's image, does not know the diagnosis (or another column), and lets the most similar "
        "synthetic images vote on it.",
        caught="Facts that are guessed better for members than for outsiders. What is guessed equally well for "
        "both is medicine, not a leak.",
        group=INFERENCE,
    ),
    "T9": QuestionWords(
        title="How alike are the two crowds?",
        short="Similarity measures",
        tries="Nothing that proves a leak: these are the measures that other tools print.",
        caught="They do not gate, because a blurred or a narrow generator moves them as much as a leak does. "
        "They are here so that you can compare with other reports.",
        group=SINGLING_OUT,
    ),
    "T10": QuestionWords(
        title="Do names, numbers or dates of patients hide in the files?",
        short="Identifiers in the files",
        tries="Reads every byte: headers, file names, comments, private fields, encoded and compressed texts, for "
        "anything identifying, and compares every file with the images that were audited.",
        caught="Identifiers from the source files of four characters or more, numbers of six digits or more; files "
        "whose images or labels are not the audited ones. Not: shorter ones, and text painted into pixels.",
        group=LINKABILITY,
    ),
}


def unknown_test(title: str) -> QuestionWords:
    """For a test that has no words here yet."""
    see = "See the documentation of this test."
    return QuestionWords(title=title, short=title, tries=see, caught=see, group=INFERENCE)
