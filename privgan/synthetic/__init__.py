"""What goes out: the synthetic set, its DICOM form and its card."""
