"""The model: networks, losses, the warm start and the training loop where real images end."""
