"""`python -m harness` is the same as `partita`."""

from harness.cli import main

main()
