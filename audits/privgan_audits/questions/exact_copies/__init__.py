"""T1: is a real image among the synthetic ones?"""
