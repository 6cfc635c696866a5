# make_root.sh ROOT SUITE MIRROR MARK PACKAGE…: makes the folder ROOT a Debian SUITE with these packages.
# MARK goes into ROOT/.ready last of all: a folder without it was left half-made, and is made anew.
# Runs as root in a mount namespace of its own, so that what debootstrap mounts is gone before a folder is removed.
set -eu
root=$1 suite=$2 mirror=$3 mark=$4
shift 4
rm -rf --one-file-system "$root"
mkdir -p "$root"
debootstrap --variant=minbase "$suite" "$root" ${mirror:+"$mirror"}
chroot "$root" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
chroot "$root" apt-get clean
echo "$mark" > "$root/.ready"
