"""Followers: each takes a transcript and keeps the rows that follow from its events."""
