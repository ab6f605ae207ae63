"""One training in several processes of one machine: who takes part, where they meet, what they add up."""
