"""What a released set is good for: verbs of whoever has one, and of the hospital that measures what it is worth."""
