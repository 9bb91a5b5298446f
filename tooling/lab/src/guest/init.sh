#!/bin/busybox sh
# The first process of a guest: loads the modules, lays a writable overlay over the host's read-only file
# system, and goes on in there with start.sh. Runs from the initramfs, on busybox alone.
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /host /writable /root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev

while read -r module parameters; do
  insmod "/modules/$module" $parameters || echo "lab: insmod $module failed"
done < /modules/order

mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=1048576,cache=loose host /host || exec poweroff -f
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
exec switch_root /root /bin/sh /run/netts-lab/start.sh
