"""What a file of any kind could carry, taken apart into pieces that can be searched."""
