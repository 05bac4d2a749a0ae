"""What draws a report: markup that cannot be broken, charts, and what the page's script needs."""
