"""No disk of the store's own: its data lie where the node keeps everything."""

from partita.nemesis.hosts import Host


class Plain:
    """The node's own disk, as it is, which no fault can strike that needs one of the store's."""

    name = "plain"
    how = "the node's own disk"
    heal = take = ""

    def lacks(self, host: Host) -> str | None:
        return None

    def put(self, host: Host, data: str) -> None:
        """It is there."""
