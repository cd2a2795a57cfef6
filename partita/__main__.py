"""`python -m partita` is the same as `partita`."""

from partita.harness.cli import main

main()
