"""A store that no fault of a test touches."""


class Untouched:
    """Whoever does something to it has made a mistake."""

    def do(self, method: str, node: str) -> None:
        raise AssertionError

    def start(self, node: str) -> None:
        raise AssertionError

    def serves(self, node: str) -> bool:
        raise AssertionError
