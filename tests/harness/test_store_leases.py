"""The clients of leases against the real thing: servers on loopback."""

import pytest
from leases_kept import leases_are_kept
from store_servers import needs_etcd

from partita.harness.systems.consul import ConsulClient
from partita.harness.systems.consul_leases import ConsulLeases
from partita.harness.systems.etcd import EtcdClient
from partita.harness.systems.etcd_leases import EtcdLeases
from partita.workloads.client import Answer, Definite


def etcd_client(etcd: tuple[list[int], list[int]]) -> EtcdLeases:
    port = etcd[0][0]
    client = EtcdClient("127.0.0.1", 5.0, "linearizable", port)
    return EtcdLeases(client, "127.0.0.1", 5.0, port)


@needs_etcd
def test_leases_of_etcd_are_kept(etcd: tuple[list[int], list[int]]) -> None:
    leases_are_kept(lambda: etcd_client(etcd))


@needs_etcd
def test_a_lease_of_etcd_that_somebody_revoked_is_renewed_no_more(
    etcd: tuple[list[int], list[int]],
) -> None:
    client = etcd_client(etcd)
    client.open(10.0)
    assert isinstance(client.beat(), Answer)
    client._session.get().end()
    with pytest.raises(Definite, match="over"):
        client.beat()
    with pytest.raises(Definite, match="not found"):
        client.ephemeral("gone", "1")
    client.close()


def test_leases_of_consul_are_kept(consul: int) -> None:
    def make() -> ConsulLeases:
        client = ConsulClient("127.0.0.1", 5.0, "consistent", consul)
        return ConsulLeases(client, "127.0.0.1", 5.0, consul)

    leases_are_kept(make)
