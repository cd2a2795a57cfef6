"""SSH, against the real sshd of the local cluster's nodes, named as if they were remote."""

import socket
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from partita.harness.nodes import local
from partita.harness.nodes.cluster import Node, remote_nodes
from partita.harness.nodes.ssh import Login, Remote, SshError


@pytest.fixture
def remote(nodes: list[Node]) -> Remote:
    return nodes[0].remote


def test_status_output_and_errors_of_a_command(remote: Remote) -> None:
    done = remote.run(
        ["sh", "-c", "cat; echo out; echo err >&2; exit 3"], stdin=b"in\n", check=False
    )
    assert (done.status, done.stdout, done.stderr) == (3, "in\nout\n", "err\n")


def test_a_failing_command_says_where_what_and_why(remote: Remote) -> None:
    with pytest.raises(SshError, match=r"^n1: ls /nowhere: status 2: ls: .*No such file"):
        remote.run(["ls", "/nowhere"])


@pytest.mark.parametrize(
    "text", ["a b", "$(touch /tmp/pwned)", "; reboot", "'", '"', "\\", "a\nb", "*"]
)
def test_arguments_arrive_as_they_are(remote: Remote, text: str) -> None:
    before = remote.run(["ls", "/tmp"]).stdout
    assert remote.run(["printf", "%s", text]).stdout == text
    assert remote.run(["ls", "/tmp"]).stdout == before


def test_much_output_on_both_streams_does_not_block(remote: Remote) -> None:
    done = remote.run(["sh", "-c", "seq 300000; seq 300000 >&2"])
    assert done.stdout == done.stderr
    assert done.stdout.endswith("300000\n")


def test_a_command_need_not_read_what_it_is_sent(remote: Remote) -> None:
    much = bytes(10_000_000)
    assert remote.run(["sh", "-c", "echo no"], stdin=much).stdout == "no\n"
    assert remote.run(["sh", "-c", "exit 3"], stdin=much, check=False).status == 3


def test_a_command_that_does_not_end_is_given_up(remote: Remote) -> None:
    began = time.monotonic()
    with pytest.raises(SshError, match=r"did not end within 0\.5 s"):
        remote.run(["sleep", "30"], timeout_s=0.5)
    assert time.monotonic() - began < 3


def test_files_travel_both_ways(remote: Remote, tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(content)
    remote.upload(tmp_path / "a", "/srv/partita/some/where", mode=0o600)
    remote.download("/srv/partita/some/where", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == content
    assert remote.run(["stat", "-c", "%a", "/srv/partita/some/where"]).stdout == "600\n"
    with pytest.raises(SshError, match="no readable file"):
        remote.download("/nowhere", tmp_path / "c")


def test_a_broken_connection_is_remade(remote: Remote) -> None:
    remote.run(["true"])
    remote._transport().close()
    assert remote.run(["echo", "again"]).stdout == "again\n"


def named(cluster: local.LocalCluster, **changes: object) -> Remote:
    login = replace(cluster.login, **{"connect_s": 3.0, **changes})  # type: ignore[arg-type]
    return Remote("web1", cluster.nodes[0].address, login)


def test_a_wrong_key_is_named(cluster: local.LocalCluster) -> None:
    with pytest.raises(SshError, match=r"root may not log in with the key .*check --username"):
        named(cluster, key=cluster.folder / "host").run(["true"])


def test_a_missing_key_is_named(cluster: local.LocalCluster, tmp_path: Path) -> None:
    with pytest.raises(SshError, match="cannot read the key"):
        named(cluster, key=tmp_path / "none").run(["true"])


def test_an_unknown_host_key_is_refused_unless_told_otherwise(
    cluster: local.LocalCluster, tmp_path: Path
) -> None:
    empty = tmp_path / "known_hosts"
    empty.touch()
    with pytest.raises(SshError, match="ssh-keyscan"):
        named(cluster, known_hosts=empty).run(["true"])
    assert named(cluster, known_hosts=empty, strict=False).run(["true"]).status == 0
    assert empty.read_text() == ""


def test_another_host_key_is_refused(cluster: local.LocalCluster, tmp_path: Path) -> None:
    wrong = tmp_path / "known_hosts"
    key = (cluster.folder / "id.pub").read_text().split()
    wrong.write_text(f"{cluster.nodes[0].address} {key[0]} {key[1]}\n")
    with pytest.raises(SshError, match="host key is not the one"):
        named(cluster, known_hosts=wrong).run(["true"])


def test_nobody_listening_is_said_in_time(cluster: local.LocalCluster) -> None:
    began = time.monotonic()
    with pytest.raises(SshError, match=r"^web1 \(.*:2222\): .*is it up, with sshd running\?"):
        named(cluster, port=2222, connect_s=1.0).run(["true"])
    assert time.monotonic() - began < 4


def test_no_such_host(cluster: local.LocalCluster) -> None:
    with pytest.raises(SshError, match="no such host name"):
        Remote("web1", "no-such-host.invalid", Login(connect_s=2.0)).run(["true"])


def test_a_host_that_accepts_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        login = Login(port=silent.getsockname()[1], connect_s=1.0, strict=False)
        # Which of two time-outs ends first, paramiko's for the banner or ours, is a matter of luck.
        with pytest.raises(SshError, match=r"sshd running|does not speak SSH"):
            Remote("web1", "127.0.0.1", login).run(["true"])


def test_who_hangs_up_is_asked_again() -> None:
    """As an sshd does to which too many connect at once: it is there, and may talk soon."""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        hung_up = 0

        def hang_up() -> None:
            nonlocal hung_up
            with suppress(OSError):  # it was closed
                while True:
                    busy.accept()[0].close()
                    hung_up += 1

        Thread(target=hang_up, daemon=True).start()
        login = Login(port=busy.getsockname()[1], connect_s=1.0, strict=False)
        with pytest.raises(SshError, match=r"does not speak SSH .*or is too busy to"):
            Remote("web1", "127.0.0.1", login).run(["true"])
        assert hung_up > 1
        busy.shutdown(socket.SHUT_RDWR)


def test_named_nodes_tell_their_addresses(cluster: local.LocalCluster) -> None:
    addresses = [node.address for node in cluster.nodes[:2]]
    found = remote_nodes(addresses, cluster.login)
    assert [node.name for node in found] == addresses
    assert found[0].addresses == (cluster.nodes[0].address, cluster.nodes[0].address6)
    assert not found[0].local
    for node in found:
        node.close()
