"""What clients do to the store: which operations, and how a client call becomes an outcome."""
