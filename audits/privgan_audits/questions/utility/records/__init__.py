"""Of what use the records are that a set carries: as a table, and as what its images show."""
