"""Known failures of released software, found again: rows, and how each is looked for."""
