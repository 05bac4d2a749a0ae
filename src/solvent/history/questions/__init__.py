"""Questions: what is asked of the histories, a page at a time."""
