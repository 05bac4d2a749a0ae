"""Tables: what the histories keep in SQL, and how rows get there."""
