"""Invented patients whose images a formula draws, for the demo and for tests."""
