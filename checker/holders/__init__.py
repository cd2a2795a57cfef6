"""Locks and elections: what the store granted, what holders believed, and what came of it."""
