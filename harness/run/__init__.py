"""One run, from top to bottom: load, journal, results, gate."""
