"""How findings are said: numbers for people, charts, and the words that every question uses."""
