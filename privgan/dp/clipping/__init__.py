"""Exact clipping by patient: one gradient a patient, bounded, at close to the cost of the batch's."""
