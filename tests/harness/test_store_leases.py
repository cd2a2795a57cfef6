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


def consul_client(port: int) -> ConsulLeases:
    client = ConsulClient("127.0.0.1", 5.0, "consistent", port)
    return ConsulLeases(client, "127.0.0.1", 5.0, port)


def test_leases_of_consul_are_kept(consul: int) -> None:
    leases_are_kept(lambda: consul_client(consul))


def test_a_list_of_consul_waits_each_time_for_what_was_there_before_it(consul: int) -> None:
    """A server that lags showed old lists: the fence of the second list was that of the first."""
    client = consul_client(consul)
    client.open(10.0)
    for number in range(2):
        made = client.ephemeral(f"waits-{number}", "1")
        client.list("waits-")
        assert client._client.index(client._fence) > made.version
    client.close_session()
    client.close()
