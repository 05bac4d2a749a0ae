"""Receipts: a document of each settlement, made from events alone and computed again offline.

`form` says what a receipt holds, `builder` makes it from events, `codec` writes and reads it,
`verify` computes it again, offline.
"""
