"""The prepared cohort: who is one person, who is a member, and what is kept of the images."""
