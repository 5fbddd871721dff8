#!/bin/busybox sh
# The first process of a VM: makes a small Linux of the bare kernel, runs the
# command in /etc/vm/command, prints how that ended, and powers off.
set -o pipefail
export PATH=/usr/bin:/bin HOME=/root LC_ALL=C.UTF-8
/bin/busybox mount -t proc proc /proc
# What is a program of its own already stays that.
/bin/busybox --install -s /usr/bin 2>/dev/null
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
ln -s /proc/self/fd /dev/fd
mkdir -p /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
ulimit -n 524288

# One at a time: a kernel that lacks one still has the others.
for controller in cpu memory pids io; do
  echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control || echo "no cgroup controller $controller"
done

set -a
. /etc/vm/settings
set +a
cd /pidpool || poweroff -f
echo "pidpool-vm: begin"
# Through a pipe: at a terminal, as the console is one, node would write colours.
sh /etc/vm/command </dev/null 2>&1 | cat
echo "pidpool-vm: exit $?"
poweroff -f
