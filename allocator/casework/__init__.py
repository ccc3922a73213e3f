"""Casework: the stored records of a municipality's daily work, and what each of them may become.

Pure: no storage, no clock, no login. `records` says what a stored record is; then one file a topic: `people`,
`housing`, `cases`, `relations` (conflicts, orders), `voice` (objections, comments, hearings, residents' say),
`committee` (suggestions, meetings, decisions, offers, reviews, appeals), `offices` (accounts, policies).
`snapshot` puts them together into the facts that the rules read.
"""
