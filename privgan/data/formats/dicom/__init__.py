"""DICOM files as they come from an archive: nothing in them is trusted, and little of them is read."""
