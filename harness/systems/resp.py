"""One connection to a Redis or a Sentinel: the few lines that their protocol takes.

It knows whether a command may have arrived, as `connection.py` does for HTTP. Redis refuses a
command with an error before it changes anything, so that an error is a certain no; but for
UNBLOCKED, which ends a command that waits.
"""

from collections.abc import Sequence
from typing import Any

from partita.harness.systems.connection import reason
from partita.harness.systems.lines import Lines
from partita.workloads.client import Definite, Indefinite, Refused

Word = str | int
_WAITING = "UNBLOCKED"


class Resp:
    """A connection to `host:port`; no command takes much longer than `timeout` seconds.

    Without `lingers`, what was given up is thrown away, as far as it has not left this machine.
    Raises `Definite` if it cannot be made.
    """

    def __init__(self, host: str, port: int, timeout: float, *, lingers: bool = True) -> None:
        self._timeout = timeout
        try:
            self._lines = Lines(host, port, timeout, lingers=lingers)
        except OSError as error:
            raise Definite(reason(error)) from error

    def ask(self, *words: Word, reads: bool = False, timeout: float | None = None) -> Any:
        """Carry out a command; return text, a number, a list of these, or None.

        Raises `Refused` if Redis says no; `Definite` if it only `reads`, or was never sent;
        `Indefinite` if nobody knows. After the last two nothing more can be asked.
        """
        if not self._lines.is_open:
            raise Definite("the connection is closed")
        self._lines.begin(self._timeout if timeout is None else timeout)
        try:
            self._lines.send(_packed(words))
            answer = self._answer()
        except (OSError, ValueError) as error:
            self.close()
            raise (Definite if reads else Indefinite)(reason(error)) from error
        if isinstance(answer, Refused):
            if str(answer).startswith(_WAITING):
                raise Indefinite(str(answer))
            raise answer
        return answer

    def close(self) -> None:
        """Let the connection go."""
        self._lines.close()

    def _answer(self) -> Any:
        line = self._lines.line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Refused(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        size = int(rest)
        if size < 0:
            return None
        if kind == b"*":
            return [self._answer() for _ in range(size)]
        if kind == b"$":
            return self._lines.exactly(size + 2)[:-2].decode()
        raise ValueError(f"no answer of Redis begins with {kind!r}")


def _packed(words: Sequence[Word]) -> bytes:
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        text = str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(text), text))
    return b"".join(parts)
