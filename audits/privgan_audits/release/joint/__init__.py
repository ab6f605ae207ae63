"""A set of several hospitals: each audits it and agrees for its own patients, and one bundle has all signatures."""
