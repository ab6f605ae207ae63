"""The guarantee: sampling, clipping, noise, accounting and the ledger; tensors, never files of patients."""
