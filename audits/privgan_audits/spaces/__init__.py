"""The ways in which an audit compares images: each turns pictures into distances, and none knows who is a member."""
