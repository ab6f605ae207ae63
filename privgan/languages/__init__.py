"""Catalogues of sentences, one for each language, and how a sentence that was filled in is known again."""
