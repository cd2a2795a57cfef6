"""Transactions: which isolation a history can still have, and which anomalies it shows."""
