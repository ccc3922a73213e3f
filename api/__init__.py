"""HTTP: the API of the engine. Pages come later from the same use cases.

`app` is the only wiring; `routes` hold one topic each; `errors` makes problem details (RFC 9457) that never
repeat what was sent.
"""
