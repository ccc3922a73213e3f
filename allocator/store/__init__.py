"""Storage on SQLite or PostgreSQL, alike: `tables`, `engine` (connections), `repository`, `migrations`.

SQLAlchemy Core, since a logged change is on the hot path. Every change is one transaction together with its
log entries. Changes happen one after another on both databases: SQLite locks itself, and on PostgreSQL each
begins by locking the end of the log.
"""
