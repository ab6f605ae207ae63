"""Synthetic images as DICOM files that no archive can take for a patient's."""
