"""Queues and sets in Redis: its own lists and sets, each changed by one command."""

from partita.harness.systems.redis_primary import Primary


class RedisCollections:
    """A client of queues and sets."""

    def __init__(self, primary: Primary) -> None:
        self._primary = primary

    def enqueue(self, key: str, value: str) -> None:
        self._primary.change("RPUSH", key, value)

    def dequeue(self, key: str) -> str | None:
        taken: str | None = self._primary.change("LPOP", key)
        return taken

    def add(self, key: str, element: str) -> None:
        self._primary.change("SADD", key, element)

    def members(self, key: str) -> list[str]:
        found: list[str] = self._primary.read("SMEMBERS", key)
        return found

    def close(self) -> None:
        self._primary.close()
