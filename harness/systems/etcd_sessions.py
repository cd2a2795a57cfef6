"""A session in etcd is a lease: keys hang on it, and go when it is over.

Its time to live is at least one and a half elections, whatever was asked for; etcd rounds it up.
"""

import math
import time
from typing import Any

from partita.harness.systems.etcd_gateway import PORT, Gateway
from partita.harness.systems.renewals import Over
from partita.workloads.client import Definite, Indefinite

# etcd looks twice a second for leases that are over, and ends them through its log.
GRACE_S = 2.0


class EtcdSession:
    """A lease, see `Session`. `revision` is that of the store when it was granted.

    `grace` is what is said of it, None: nothing, for who knows better when it was over. Raises
    `Definite` if none was granted: one of which nobody knows runs out by itself.
    """

    def __init__(
        self,
        host: str,
        ttl: float,
        timeout: float,
        port: int = PORT,
        *,
        grace: float | None = GRACE_S,
    ) -> None:
        # What was given up must not arrive later: the lease would live longer than anybody knows.
        self._gateway = Gateway(host, timeout, port, lingers=False)
        self.opened = time.monotonic()
        try:
            answer = self._gateway.ask("/v3/lease/grant", {"TTL": math.ceil(ttl)})
        except Indefinite as error:
            raise Definite(f"no lease was granted: {error}") from error
        self.lease = int(answer["ID"])
        self.name = f"{self.lease:x}"  # as etcd's own tools write it
        self.ttl = float(answer["TTL"])
        self.revision = int(answer["header"]["revision"])
        self.said: dict[str, Any] = {"session": self.name, "ttl": self.ttl}
        if grace is not None:
            self.said["grace"] = grace

    def beat(self) -> None:
        answer = self._gateway.ask("/v3/lease/keepalive", {"ID": self.lease})
        if "result" not in answer:
            raise Indefinite(str(answer.get("error", "no answer")))
        if int(answer["result"].get("TTL", 0)) <= 0:
            raise Over("the lease is over")

    def end(self) -> None:
        self._gateway.ask("/v3/lease/revoke", {"ID": self.lease})

    def close(self) -> None:
        self._gateway.close()
