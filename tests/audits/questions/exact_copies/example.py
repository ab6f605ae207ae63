"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

PASSES = {
    "copies_of_members": 0,
    "rescaled_copies_of_members": 0,
    "copies_of_other_patients": 0,
    "rescaled_copies_of_other_patients": 0,
    "copies_of_both": 0,
    "most_patients_of_a_copy": 0,
    "constant_images": 3,
    "compared_real_images": 4132,
}
HOSTILE = PASSES
