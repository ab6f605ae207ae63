"""Does a released set help a hospital with few images of its own? Measured against what costs it nothing."""
