"""Codecs: commands, events, parameters and transcripts as numbers and bytes, and canonical JSON."""
