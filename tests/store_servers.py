"""Real stores on loopback, for tests of their clients: no cluster, no namespaces."""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from urllib.request import urlopen

import pytest
from test_raft_store import free_ports

from partita.harness.systems.consul import Consul
from partita.harness.systems.system import StoreError

ETCD = shutil.which("etcd")

needs_etcd = pytest.mark.skipif(ETCD is None, reason="etcd is not installed")


@pytest.fixture(scope="session")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[int], list[int]]]:
    """Three members: the ports that they serve clients on, and their process ids."""
    folder = tmp_path_factory.mktemp("etcd")
    ports, peers = free_ports(3), free_ports(3)
    cluster = ",".join(f"n{i}=http://127.0.0.1:{port}" for i, port in enumerate(peers))
    processes = []
    for i, (port, peer) in enumerate(zip(ports, peers, strict=True)):
        url, peer_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
        command = [str(ETCD), "--name", f"n{i}", "--data-dir", str(folder / f"n{i}")]
        command += ["--listen-client-urls", url, "--advertise-client-urls", url]
        command += ["--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url]
        command += ["--initial-cluster", cluster]
        with (folder / f"n{i}.log").open("wb") as log:
            processes.append(subprocess.Popen(command, stdout=log, stderr=log))
    for port in ports:
        eventually(lambda port=port: b"true" in get(f"http://127.0.0.1:{port}/health"))
    yield ports, [process.pid for process in processes]
    end(processes)


@pytest.fixture(scope="session")
def consul(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One server: its HTTP port."""
    try:
        program = Consul().fetch()
    except StoreError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("consul")
    http, server, lan, wan = free_ports(4)
    ports = {"http": http, "server": server, "serf_lan": lan, "serf_wan": wan}
    ports |= {"dns": -1, "grpc": -1, "https": -1}
    configuration = {"server": True, "bootstrap_expect": 1, "bind_addr": "127.0.0.1"}
    configuration |= {"data_dir": str(folder / "data"), "ports": ports}
    configuration |= {"disable_update_check": True}
    (folder / "agent.json").write_text(json.dumps(configuration))
    with (folder / "log").open("wb") as log:
        command = [str(program), "agent", "-config-file", str(folder / "agent.json")]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    eventually(lambda: len(get(f"http://127.0.0.1:{http}/v1/status/leader")) > 4)
    # Sessions need the node itself in the catalog, which comes a little later.
    eventually(lambda: b"Node" in get(f"http://127.0.0.1:{http}/v1/catalog/nodes"))
    yield http
    end([process])


def get(url: str) -> bytes:
    with urlopen(url, timeout=2) as answer:
        return bytes(answer.read())


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def eventually(holds: Callable[[], object], patience: float = 30.0) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail("never came true")
