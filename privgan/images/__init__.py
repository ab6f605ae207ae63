"""What an image is as an array: levels and tensors, geometry, small random changes."""
