"""Watches: whether everybody who watches is told of every change, once and in its order."""
