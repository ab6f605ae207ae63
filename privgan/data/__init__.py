"""What comes in: readers, preprocessing, the split by patient and the prepared cohort."""
