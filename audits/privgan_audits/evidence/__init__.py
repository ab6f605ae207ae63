"""What an audit may look at, and how it is gathered from a cohort or from bare files."""
