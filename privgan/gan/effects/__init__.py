"""What records do to images: one noisy sum, held against the table of records that was asked for before."""
