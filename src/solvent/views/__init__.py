"""What people ask for, rebuilt from events and from nothing else.

`receipts` turns the events of a settlement into a document of the form in `receipt`; `verify` takes
such a document and computes it again, offline.
"""
