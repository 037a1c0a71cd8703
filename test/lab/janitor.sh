#!/bin/sh
# janitor.sh NAME: waits for the end of standard input, then removes everything that the lab NAME made: the processes
# in its network namespaces, the namespaces (and with them their interfaces), its users and its directory under /tmp.
#
# A lab starts one in a session of its own and holds the other end of the pipe. So the removal also happens when the
# test run is interrupted, crashes, or is killed with SIGKILL: the kernel closes the pipe.
set -u
name=${1:?name of the lab}
case $name in
  nl-*) ;;
  *) echo "janitor.sh: not the name of a lab: $name" >&2; exit 2 ;;
esac

cat >/dev/null

for namespace in $(ip netns list | awk -v prefix="$name-" 'index($1, prefix) == 1 { print $1 }'); do
  pids=$(ip netns pids "$namespace")
  # Word splitting is meant: one argument per process id.
  [ -z "$pids" ] || kill -9 $pids
  ip netns delete "$namespace"
done
if id "$name" >/dev/null 2>&1; then
  pids=$(pgrep -u "$name")
  [ -z "$pids" ] || kill -9 $pids
  userdel "$name"
fi
rm -rf -- "/tmp/$name"
