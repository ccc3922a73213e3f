"""The laws: what holds for any facts and any policy, each by its name."""
