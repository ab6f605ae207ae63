"""T6: is the privacy promise true to its books?"""
