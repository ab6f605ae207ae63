"""T7: can another image of a patient be recognised in the set?"""
