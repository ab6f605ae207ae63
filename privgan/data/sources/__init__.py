"""Folders, lists and arrays of images as one stream of entries, whatever they come in."""
