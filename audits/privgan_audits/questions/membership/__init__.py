"""T3: can someone tell who was in the training data?"""
