"""Logs that messages are sent to and polled from, by offset."""
