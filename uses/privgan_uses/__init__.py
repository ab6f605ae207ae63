"""What a released set is good for: restorers and classifiers that learn from it alone, and what they are worth."""
