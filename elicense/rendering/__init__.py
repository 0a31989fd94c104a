"""A licence becomes a page: layouts compiled once, filled per licence."""
