"""What stands behind the verbs that put a released set to use."""
