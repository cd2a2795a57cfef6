"""Clients that live on nodes of their own: the program there, and how the controller uses it."""
