"""What a copy may have kept: detail, shapes, parts of two sizes, moved images."""
