"""The stores that several tests of clients share: each is started once, when it is first used."""

from store_servers import consul, etcd

__all__ = ["consul", "etcd"]
