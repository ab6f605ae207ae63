"""The audit, the verdict, the report and the release gate."""
