"""What has been spent: the ledger of a cohort, the filter that admits charges, and the site's anchor."""
