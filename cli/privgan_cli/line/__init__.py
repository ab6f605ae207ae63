"""The line that is typed, and the lines that come back."""
