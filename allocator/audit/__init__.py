"""The record: an append-only log of every change and every look at a person.

`chain` links the entries and hashes them into a Merkle tree (RFC 6962); `checkpoints` signs its root and
keeps it elsewhere; `verify` finds whatever was changed afterwards. Entries say who, when, what and about
whom, by ids and hashes; what was said about anyone stands in the records, never here.
"""
