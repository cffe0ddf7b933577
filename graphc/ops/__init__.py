"""The node kinds, one family a file, each with all its rules in one record."""
