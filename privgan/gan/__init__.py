"""The model: networks, losses, the warm start and the training, which asks patients for sums."""
