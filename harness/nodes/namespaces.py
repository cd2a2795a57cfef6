"""What the first process of the switch and of each node does, in shell, before it settles."""

SWITCH = """
set -e
ip link set lo up
ip link add partita type bridge
ip link set partita up
echo ready
exec sleep infinity
"""

# The node's mounts are private to it: what it does to /tmp, /run and /srv no one else sees, and
# what root's own .bashrc on this machine does (it may be slow, or wait for a lock) no node sees.
# A client node keeps the machine's own /root and /tmp: Partita, which it runs, may lie there.
# It waits with sshd until its network is plugged in, which the one outside says on stdin.
NODE = """
set -e
name=$1; folder=$2; node=$3; address=$4; address6=$5; kind=$6
hostname "$name"
mount -t tmpfs -o mode=755 partita /srv
mkdir /srv/partita
mount --bind "$node" /srv/partita
[ "$kind" = client ] || mount --bind "$node/tmp" /tmp
mount --bind "$folder/hosts" /etc/hosts
mount --bind "$folder/shadow" /etc/shadow
mount --bind "$folder/passwd" /etc/passwd
mount -t tmpfs -o mode=755 partita /run
mkdir /run/sshd
[ "$kind" = client ] || mount -t tmpfs -o mode=700 partita /root
ip link set lo up
echo ready
read plugged
ip addr add "$address/24" dev eth0
[ -z "$address6" ] || ip -6 addr add "$address6/64" dev eth0 nodad
ip link set eth0 up
exec "$(PATH=$PATH:/usr/sbin:/sbin command -v sshd)" -D -E "$node/sshd.log" -f "$folder/sshd_config"
"""
