"""Scenarios as data: what a file may say, how it is read, and those that are packaged."""
