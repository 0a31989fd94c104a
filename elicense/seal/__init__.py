"""What a seal is, what it looks like, and where it stands on a page."""
