"""Nodes that speak in messages: processes of ours, and a router in the place of the network."""
