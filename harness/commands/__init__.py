"""What the command line offers: a file for each command, from arguments to exit code."""
