#!/bin/sh
# fixed-paths.sh WWW DOWNLOADS CERTS LOGS KEEP COMMAND…: runs the command in a root of its own, in which those four are /www, /downloads,
# /certs and /logs. What it writes elsewhere is gone afterwards, but below KEEP. Needs root, and a mount namespace that is its own.
set -eu
www=$1 downloads=$2 certs=$3 logs=$4 keep=$5
shift 5

hosts=$(cat /etc/hosts)
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
root=/mnt/root
for shared in /proc /sys /dev /tmp "$keep"; do
  mkdir -p "$root$shared"
  mount --rbind "$shared" "$root$shared"
done
# A network namespace has its own, mounted over the file of the machine.
echo "$hosts" > "$root/etc/hosts"
mkdir -p "$root/www" "$root/downloads" "$root/certs" "$root/logs"
mount --bind "$www" "$root/www"
mount --bind "$downloads" "$root/downloads"
mount --bind "$certs" "$root/certs"
mount --bind "$logs" "$root/logs"
exec chroot "$root" "$@"
