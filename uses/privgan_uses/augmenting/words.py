"""The sentences about whether a set helps."""

from privgan.language import to_tr

TITLE = to_tr("Does the set help you?")
INTRODUCTION = to_tr(
    "A small network learned to tell your classes apart from a few of your patients: from their images alone, from "
    "them for longer, from them changed at random, and from them together with the synthetic set. All were examined "
    "on {patients} held-back patients that no lesson showed."
)
METHOD = to_tr(
    "Every lesson was learned {repeats} times, each time from other patients and from other random weights. All "
    "images of all lessons are studied equally long, so that one with more images takes longer; your own images as "
    "they are take {steps} steps. Intervals are of 95 % and allow for other trainings and for other patients "
    "(Obuchowski and Rockette 1995; Hillis 2007)."
)
RULE = to_tr(
    "A lesson with synthetic images helps where it is better than every lesson without, each difference beyond its "
    "interval; it harms where it is worse than one that was studied as long. Of twenty lessons that make no "
    "difference, one may be said to help or to harm by luck. The sentences above are about one lesson that was "
    "chosen beforehand: your own images with the whole set."
)
INSIDE = to_tr(
    "These numbers are computed from held-back patients without noise: they stay inside. They speak of this small "
    "network and of patients like these."
)
EACH_A_PATIENT = to_tr(
    "Nobody knows whose each image is: each counts as one patient's, and intervals are too narrow where patients "
    "have several."
)
ANSWERS = to_tr(
    {
        "helps": "With {patients} patients of each class, the set helps: AUC {value} with it, {best} with the best "
        "lesson without ({lesson}); the difference is {difference}.",
        "harms": "With {patients} patients of each class, the set harms: AUC {value} with it, {best} with the best "
        "lesson without ({lesson}); the difference is {difference}.",
        "open": "With {patients} patients of each class, whether the set helps cannot be told: AUC {value} with it, "
        "{best} with the best lesson without ({lesson}); the difference is {difference}.",
    }
)
SAID = to_tr({"helps": "helps", "harms": "harms", "open": "cannot be told"})
KINDS = to_tr(
    {
        "real": "your own images",
        "duplicated": "your own, {times} times as long",
        "changed": "your own, changed at random, {times} times as long",
        "mixed": "your own and {ratio} synthetic ones for each",
        "mixed all": "your own and the whole set",
        "mixed all changed": "your own and the whole set, changed at random",
        "synthetic": "the whole set alone",
    }
)
CAPTION = to_tr("{patients} patients of each class ({images} images)")
HEADS = to_tr(
    {
        "lesson": "Learned from",
        "auc": "AUC",
        "balanced_accuracy": "Balanced accuracy",
        "difference": "Difference in AUC to the best without",
        "answer": "The set",
    }
)
SENSITIVITY = to_tr("Sensitivity: {name}")
