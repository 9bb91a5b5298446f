# Process 1 of a guest once the host's file system is its root: sets up the RDMA devices that the kernel's
# command line names (netts.devices=rxe,siw netts.host=1 netts.hosts=1), runs the agent,
# and powers off when the agent ends. As process 1 it also reaps orphans, which a shell's `wait` does.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
lab=/run/netts-lab
for word in $(cat /proc/cmdline); do
  case $word in
    netts.devices=*) devices=$(echo "${word#*=}" | tr , ' ') ;;
    netts.host=*) host=${word#*=} ;;
    netts.hosts=*) hosts=${word#*=} ;;
  esac
done

ulimit -l unlimited
ulimit -n 65536
echo "netts$host" > /proc/sys/kernel/hostname
ip link set lo up

for port in /sys/class/virtio-ports/*; do
  [ "$(cat "$port/name")" = netts.agent ] && agent_port=/dev/${port##*/}
done
"$(cat $lab/node)" $lab/agent.mjs "$agent_port" $lab/devices < /dev/null &
agent=$!

# add_device TYPE SUBNET NETDEV: one RDMA device on one network device, and its line in $lab/devices
add_device() {
  address=$2.$host
  ip address add "$address/24" dev "$3" &&
    ip link set "$3" mtu 9000 up &&
    rdma link add "${1}0" type "$1" netdev "$3" || return
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    case $(cat "/sys/class/infiniband/${1}0/ports/1/state") in *ACTIVE) break ;; esac
    sleep 0.1
  done
  peer=
  [ "$hosts" = 1 ] || peer=$2.$((3 - host))
  echo "${1}0 $1 $address $3 $peer" >> "$lab/devices"
}

# With a second host the network devices are its links (eth0, eth1); alone they are dummies.
[ "$hosts" = 1 ] && kind=dummy || kind=eth
: > "$lab/devices"
{
  for device in $devices; do
    case $device in
      rxe) add_device rxe 10.99.0 "${kind}0" ;;
      siw) add_device siw 10.98.0 "${kind}1" ;;
    esac || echo "setting up $device failed"
  done
} 2> "$lab/devices.problem" 1>&2
cat "$lab/devices.problem"

touch "$lab/devices.ready" # the agent, which starts meanwhile, waits for it

wait $agent
sync
echo o > /proc/sysrq-trigger
sleep 60
