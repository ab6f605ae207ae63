"""Who says yes: approvals and withdrawals, the bundle that leaves, and how it is checked."""
