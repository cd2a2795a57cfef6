"""A cut that comes and goes: elections begin, and end, and begin again."""

import threading
import time
from collections.abc import Mapping
from typing import Annotated, Any

from partita.checker.settings import Setting
from partita.nemesis.cuts import proof
from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.firewall import Chain
from partita.nemesis.hosts import Host
from partita.nemesis.targets import Scope

CHAIN = Chain("PARTITA-FLAP", "-j DROP")


class Flap:
    """Cuts nodes apart, lets them meet again, and so on, until it is healed."""

    name = "flap"
    traits = Traits(
        strikes="links",
        stacks="replace",
        storm=Storm(1, (3.0, 8.0)),
        how="drops of iptables",
        heal=CHAIN.heal,
    )

    def __init__(
        self,
        period: Annotated[float, Setting("Seconds from cut to cut.", least=0.2, most=600)] = 4,
        duty: Annotated[
            float, Setting("For what share of the period they are cut.", least=0.05, most=0.95)
        ] = 0.5,
    ) -> None:
        self._period, self._duty = period, duty
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._cuts = self._dropped = 0
        self._failure: str | None = None

    def lacks(self, host: Host) -> str | None:
        return CHAIN.lacks(host)

    def begin(self, scene: Scene, scope: Scope) -> None:
        CHAIN.stand(scene.hosts, scope.grudge)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """It bit if the first cut did, as any other; only then do cuts come and go."""
        first = proof(scene, scope)
        self._thread = threading.Thread(target=self._go_on, args=(scene, scope), daemon=True)
        self._thread.start()
        return first

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        self._stop(scene)
        figures = {"cuts": self._cuts, "packets_dropped": self._dropped}
        return Lasted({"ended": self._failure} if self._failure else {}, figures)

    def end(self, scene: Scene, scope: Scope) -> None:
        self._stop(scene)
        CHAIN.fall(scene.hosts)

    def _go_on(self, scene: Scene, scope: Scope) -> None:
        try:
            began = time.monotonic()
            while True:
                self._cuts += 1
                if self._over.wait(began + self._duty * self._period - time.monotonic()):
                    return
                self._count(scene)
                CHAIN.fall(scene.hosts)
                began += self._period
                if self._over.wait(began - time.monotonic()):
                    return
                CHAIN.stand(scene.hosts, scope.grudge)
        except Exception as error:  # told where it is asked whether the fault lasted
            self._failure = str(error)

    def _stop(self, scene: Scene) -> None:
        if self._thread and not self._over.is_set():
            self._over.set()
            self._thread.join()
            self._count(scene)

    def _count(self, scene: Scene) -> None:
        self._dropped += sum(CHAIN.counts(scene.hosts).values())
