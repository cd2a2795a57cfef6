"""Hunts for a run that fails, and makes it short."""
