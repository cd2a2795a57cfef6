"""The stores under test, one file each."""
