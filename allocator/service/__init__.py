"""The use cases: ask, object, comment, hear, decide, review. Each is one transaction, checked and logged.

`desk` is the way in: it checks access, runs a use case in a transaction, logs it, and hands back what the
actor may see. `work` is what a use case works with. `uses` lists them all; then one file a topic.
"""
