"""T9: the customary measures of how alike synthetic and real images are."""
