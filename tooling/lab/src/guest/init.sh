#!/bin/busybox sh
# The first process of a guest: loads the modules, sets up the RDMA devices, lays a writable overlay over the
# host's read-only file system, and goes on in there with the agent. Runs from the initramfs alone, as every
# file of the host takes an emulated guest a while to load.
#
# The kernel's command line says which devices: netts.devices=rxe,siw netts.host=1 netts.hosts=1
/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev /host /writable /root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev

while read -r module parameters; do
  insmod "/modules/$module" $parameters || echo "lab: insmod $module failed"
done < /modules/order

for word in $(cat /proc/cmdline); do
  case $word in
    netts.devices=*) devices=$(echo "${word#*=}" | tr , ' ') ;;
    netts.host=*) host=${word#*=} ;;
    netts.hosts=*) hosts=${word#*=} ;;
  esac
done
echo "netts$host" > /proc/sys/kernel/hostname
ip link set lo up

# add_device TYPE SUBNET NETDEV: one RDMA device on one network device, and its line in /lab/devices
add_device() {
  address=$2.$host
  ip address add "$address/24" dev "$3" &&
    ip link set "$3" mtu 9000 &&
    ip link set "$3" up &&
    rdma link add "${1}0" type "$1" netdev "$3" || return
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    case $(cat "/sys/class/infiniband/${1}0/ports/1/state") in *ACTIVE) break ;; esac
    sleep 0.1
  done
  peer=
  [ "$hosts" = 1 ] || peer=$2.$((3 - host))
  echo "${1}0 $1 $address $3 $peer" >> /lab/devices
}

# With a second host the network devices are its links (eth0, eth1); alone they are dummies.
[ "$hosts" = 1 ] && kind=dummy || kind=eth
: > /lab/devices
{
  for device in $devices; do
    case $device in
      rxe) add_device rxe 10.99.0 "${kind}0" ;;
      siw) add_device siw 10.98.0 "${kind}1" ;;
    esac || echo "setting up $device failed"
  done
} 2> /lab/devices.problem 1>&2

mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=512000,cache=loose host /host || exec poweroff -f
for bdi in /sys/class/bdi/9p-*; do echo 4096 > "$bdi/read_ahead_kb"; done
mount -t tmpfs -o size=90% tmpfs /writable
mkdir /writable/upper /writable/work
mount -t overlay -o lowerdir=/host,upperdir=/writable/upper,workdir=/writable/work overlay /root || exec poweroff -f

mount --move /proc /root/proc
mount --move /sys /root/sys
mount --move /dev /root/dev
mkdir -p /root/dev/pts /root/dev/shm
mount -t devpts devpts /root/dev/pts
mount -t tmpfs tmpfs /root/dev/shm
mount -t tmpfs tmpfs /root/run
mkdir /root/run/netts-lab
cp /lab/* /root/run/netts-lab/
exec switch_root /root /run/netts-lab/agent /run/netts-lab
