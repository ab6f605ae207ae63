"""What a restorer is worth on patients whom nobody learned from, beside what is cheaper and what knows more."""
