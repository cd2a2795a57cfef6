"""What breaks the network: who drops whose packets, when, and how it is undone."""
