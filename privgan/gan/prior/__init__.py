"""What public images say of a kind of picture, learned once and without any patient: `privgan prior`."""
