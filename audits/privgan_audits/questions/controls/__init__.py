"""T0: would this audit have noticed a leak, and would it have stayed silent without one?"""
