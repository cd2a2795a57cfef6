"""What an operation does to the state: one file for each model."""
