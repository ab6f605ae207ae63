"""Verbs of whoever has a released set: better images, a classifier, and whether it helps beside their own."""
