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
  # userdel refuses while a process of the user is there, and one that is killed takes a moment to go; one that nobody
  # waits for never does, which is what --force is for.
  tries=0
  while pkill -9 -u "$name" && [ "$tries" -lt 40 ]; do
    tries=$((tries + 1))
    sleep 0.05
  done
  userdel --force "$name" 2>/dev/null
fi
rm -rf -- "/tmp/$name"
