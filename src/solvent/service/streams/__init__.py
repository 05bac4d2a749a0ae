"""Streams: what happens, told over WebSocket to whoever subscribed, made of events alone."""
