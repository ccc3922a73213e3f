"""A municipality in and out: its records as a document or a spreadsheet, and a case as records.

Pure: what is read and written is bytes. `entries` says what can be exchanged; `cases` turns a snapshot into
records; `documents` and `spreadsheets` read and write them; `consistency` tells what does not fit together.
Who may import and export, and the transaction it is done in, is :mod:`allocator.service.exchange`.
"""
