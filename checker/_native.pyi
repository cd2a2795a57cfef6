"""The native half of the checker."""
