"""The command line."""

import click


@click.group()
def main() -> None:
    """Find out whether a coordination store keeps its promises when the network breaks."""
