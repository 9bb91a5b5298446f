# Process 1 of a guest once the host's file system is its root: runs the agent, and powers off when it ends.
# As process 1 it also reaps orphans, which a shell's `wait` does.
lab=/run/netts-lab
ulimit -l unlimited
ulimit -n 65536

for port in /sys/class/virtio-ports/*; do
  read -r name < "$port/name"
  [ "$name" = netts.agent ] && agent_port=/dev/${port##*/}
done
read -r node < $lab/node
"$node" $lab/agent.mjs "$agent_port" $lab/devices < /dev/null &
wait $!

$lab/busybox sync
echo o > /proc/sysrq-trigger
$lab/busybox sleep 60
