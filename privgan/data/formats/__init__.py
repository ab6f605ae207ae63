"""The hostile side: files of every kind that are read, each in an isolated worker."""
