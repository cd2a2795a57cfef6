"""What is wrong with a few operations: the contradiction in them, in words and pictures."""
