"""Routes: one module an API tag, each a list of endpoints with their handlers."""
