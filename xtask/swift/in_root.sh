# in_root.sh ROOT USER:GROUP FOLDER… -- COMMAND…: runs COMMAND in ROOT as this user, with every FOLDER at its own path.
# Runs as root in a mount namespace of its own: the mounts are seen by nobody else, and end with it however it ends.
set -eu
root=$1 user=$2
shift 2
# Swift's driver finds its own libraries through /proc. A fresh /tmp keeps runs side by side apart.
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
while [ "$1" != -- ]; do
  mkdir -p "$root$1"
  mount --rbind "$1" "$root$1"
  shift
done
shift
exec chroot --userspec="$user" "$root" "$@"
