"""Leases: whether ephemeral entries live as long as their sessions, and no longer."""
