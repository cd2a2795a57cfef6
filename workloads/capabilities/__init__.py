"""What workloads need of a store's clients: one Protocol a file.

A system offers a capability by name and says how a client of it is made (`System.offers`). Every
client has `close()`; what else it has is what its capability says.
"""
