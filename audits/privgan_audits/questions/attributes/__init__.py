"""T8: can a hidden fact about a patient be read off the set?"""
