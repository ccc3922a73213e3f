"""Who may see and do what: default deny, decided here and nowhere else.

`access.toml` is the table of the field (roles, what each may do and see, and where); `table` reads it and
refuses what does not hang together; `authorizer` decides; `redaction` takes out of a record what its reader
may not see. A reference policy in the tests says the same in another way, and the two must agree.
"""
