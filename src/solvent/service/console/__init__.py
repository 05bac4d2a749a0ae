"""The console: its built files as they are served, and how a newcomer to a demo is let in."""
