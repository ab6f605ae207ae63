"""One function a verb: options in, one library call, one answer out."""
