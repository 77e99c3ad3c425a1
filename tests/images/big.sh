#!/usr/bin/env bash
# big.sh OUTDIR: builds a whole small Debian 12 (bookworm, amd64) as a disk image, in about 3 minutes.
#
# A 3 GiB sparse GPT disk laid out as Debian's own cloud images are (p14 BIOS boot, p15 EFI system partition, p1 ext4 root);
# it boots by UEFI and by BIOS, prints a marker line on the serial console and powers off.
# OUTDIR gets disk.raw, disk.qcow2, disk.build.json, packages.tsv, SHA256SUMS and SHA512SUMS. Built already: does nothing.
# Packages come from the apt sources of this machine; none are named here, and none end up in the image. Needs root
# (chroot, for the maintainer scripts); no loop device, no mount of the image, no KVM.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC
umask 022
[ $# = 1 ] || { echo "usage: big.sh OUTDIR" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "building the 3 GiB image needs root" >&2; exit 1; }
HERE=$(dirname "$(readlink -f "$0")")
mkdir -p "$1"
OUT=$(readlink -f "$1")
export SOURCE_DATE_EPOCH=1704124800 # 2024-01-01T16:00:00Z
SUITE=bookworm
DISK_MIB=3072
# p14 from 1 MiB, p15 from 4 MiB, p1 from 128 MiB to the last whole MiB; in sectors
ESP_FIRST=8192
ROOT_FIRST=262144
ROOT_LAST=$((DISK_MIB * 2048 - 2048 - 1))
# fixed identities, so that two builds can be compared
DISK_GUID=5e1f0f4c-0d55-4b5e-9c0a-c10d9b11c001
ROOT_PARTUUID=5e1f0f4c-0d55-4b5e-9c0a-c10d9b11c101
BIOS_PARTUUID=5e1f0f4c-0d55-4b5e-9c0a-c10d9b11c114
ESP_PARTUUID=5e1f0f4c-0d55-4b5e-9c0a-c10d9b11c115
ROOT_UUID=5e1f0f4c-0d55-4b5e-9c0a-c10d9b11c201
HASH_SEED=5e1f0f4c-0d55-4b5e-9c0a-c10d9b11c301
ESP_VOLID=C10D9B11
export MARKER=CLOUD-PUBLISH-BOOT-OK ROOT_UUID ESP_VOLID

say() { printf 'big image: [%3ds] %s\n' "$SECONDS" "$*" >&2; }
# shellcheck source=tools.sh
. "$HERE/tools.sh"

built_from() { cat "$HERE/big.sh" "$HERE/big-customize.sh" "$HERE/build_manifest.py" | sha256sum; }

write_sources() { # ./sources.list: this machine's own, one line for each, only the suites wanted
  refresh_package_lists_once
  # shellcheck disable=SC2016 # apt expands these
  apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    while read -r uri codename component; do
      case "$codename $component" in
        "$SUITE main" | "$SUITE-updates main" | "$SUITE-security main") echo "deb $uri $codename main" ;;
      esac
    done | sort -u >sources.list
  grep -q " $SUITE main" sources.list || { echo "this machine's apt sources have no $SUITE main" >&2; exit 1; }
}

apt_options() { # how this machine reaches its sources: proxy, credentials, clock checks
  apt-config dump | grep -E '^Acquire::(http|https|Retries|Check-Valid-Until|Check-Date|ForceIPv4)[^{]*"[^"]+";$' || true
  [ ! -f /etc/apt/auth.conf ] || echo 'Dir::Etc::netrc "/etc/apt/auth.conf";'
  [ -z "$(ls /etc/apt/auth.conf.d 2>/dev/null)" ] || echo 'Dir::Etc::netrcparts "/etc/apt/auth.conf.d";'
}

make_tree() { # $TREE: the root file system
  local options=() line
  while IFS= read -r line; do options+=(--aptopt="$line"); done < <(apt_options)
  nice -n 10 mmdebstrap --mode=root --variant=minbase --architectures=amd64 --format=tar --quiet \
    --aptopt='Acquire::Languages "none";' --aptopt='APT::Install-Recommends "false";' "${options[@]}" \
    --include=systemd-sysv,udev,dbus,init,kmod,e2fsprogs,initramfs-tools,zstd,linux-image-cloud-amd64,util-linux,mount \
    --include=grub2-common,grub-pc-bin,grub-efi-amd64-bin,grub-efi-amd64-signed,shim-signed,ca-certificates,tzdata \
    --include=cloud-init,cloud-guest-utils,openssh-server,iproute2,iputils-ping,netbase,less,vim-tiny,sudo,libpam-systemd \
    --customize-hook="$HERE/big-customize.sh" "$SUITE" rootfs.tar sources.list 2>mmdebstrap.log ||
    { tail -n 30 mmdebstrap.log >&2; exit 1; }
  mkdir -p "$TREE"
  tar --numeric-owner --xattrs --xattrs-include='*' -C "$TREE" -xf rootfs.tar
  rm -rf rootfs.tar "${TREE:?}/dev"/* # device nodes come from devtmpfs
  find "$TREE" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  dpkg-query --admindir="$TREE/var/lib/dpkg" -W -f '${Package}\t${Version}\t${Architecture}\n' | sort >packages.tsv
}

make_partitions() {
  truncate -s "${DISK_MIB}M" disk.raw
  sgdisk -a 2048 -U $DISK_GUID \
    -n 14:2048:$((ESP_FIRST - 1)) -t 14:EF02 -u 14:$BIOS_PARTUUID \
    -n "15:$ESP_FIRST:$((ROOT_FIRST - 1))" -t 15:EF00 -u 15:$ESP_PARTUUID \
    -n "1:$ROOT_FIRST:$ROOT_LAST" -t 1:8304 -u 1:$ROOT_PARTUUID disk.raw >/dev/null
}

make_root() {
  E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -F -d "$TREE" -U $ROOT_UUID -L root -m 1 -b 4096 \
    -E "offset=$((ROOT_FIRST * 512)),hash_seed=$HASH_SEED,nodiscard,lazy_itable_init=1,root_owner=0:0" \
    disk.raw $(((ROOT_LAST + 1 - ROOT_FIRST) / 2))k
  e2fsck -fn "disk.raw?offset=$((ROOT_FIRST * 512))" >/dev/null 2>&1 || { echo "e2fsck finds errors" >&2; exit 1; }
}

make_esp() {
  mkfs.vfat --invariant -F 32 -s 1 -i $ESP_VOLID -n ESP --offset $ESP_FIRST disk.raw \
    $(((ROOT_FIRST - ESP_FIRST) / 2)) >/dev/null 2>&1
  mkdir -p esp/EFI/BOOT esp/EFI/debian
  cp "$TREE/usr/lib/shim/shimx64.efi.signed" esp/EFI/BOOT/BOOTX64.EFI
  cp "$TREE/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" esp/EFI/BOOT/grubx64.efi
  cp "$TREE/usr/lib/shim/mmx64.efi.signed" esp/EFI/BOOT/mmx64.efi
  cat >esp/EFI/debian/grub.cfg <<S
search.fs_uuid $ROOT_UUID root
set prefix=(\$root)/boot/grub
configfile \$prefix/grub.cfg
S
  find esp -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
  # mcopy -s -m keeps the folders' times too; mmd would write the clock's
  MTOOLS_SKIP_CHECK=1 mcopy -s -m -i "disk.raw@@$((ESP_FIRST * 512))" esp/EFI ::/
}

make_bios_boot() { # what grub-bios-setup does, without a loop device
  python3 - disk.raw "$TREE/boot/grub/i386-pc" <<'P'
import struct, sys
raw, grub = sys.argv[1:]
boot = bytearray(open(grub + "/boot.img", "rb").read()[:440])
struct.pack_into("<Q", boot, 0x5c, 2048)    # where core.img is
boot[0x66:0x68] = b"\x90\x90"               # trust the BIOS's drive number
core = bytearray(open(grub + "/core.img", "rb").read())
assert len(core) <= 6144 * 512
struct.pack_into("<Q", core, 512 - 12, 2049)  # where its rest is
with open(raw, "r+b") as disk:
    disk.write(boot)
    disk.seek(2048 * 512)
    disk.write(core)
P
}

[ "$(cat "$OUT/.done" 2>/dev/null)" = "$(built_from)" ] && { say "built already"; exit 0; }
rm -f "$OUT/.done"
need mmdebstrap=mmdebstrap sgdisk=gdisk mcopy=mtools mkfs.vfat=dosfstools mke2fs=e2fsprogs qemu-img=qemu-utils python3=python3
WORK=$(mktemp -d "$OUT/work.XXXXXX")
TREE=$WORK/tree
trap 'rm -rf --one-file-system "$WORK"' EXIT
cd "$WORK"
chmod 755 .
write_sources
say "installing Debian $SUITE into a folder (mmdebstrap)"
make_tree
say "making the disk from $(wc -l <packages.tsv) packages"
make_partitions
make_root
make_esp
make_bios_boot
sgdisk -v disk.raw | grep -q 'No problems found'
fallocate --dig-holes disk.raw || say "this file system has no holes: disk.raw takes 3 GiB"
say "making the qcow2 file and the digests"
nice -n 10 qemu-img convert -f raw -O qcow2 -c -o compat=1.1,cluster_size=65536 disk.raw disk.qcow2
sha256sum disk.raw disk.qcow2 >SHA256SUMS
sha512sum disk.raw disk.qcow2 >SHA512SUMS
python3 "$HERE/build_manifest.py" disk genericcloud 20240101-1614
mv disk.raw disk.qcow2 disk.build.json packages.tsv SHA256SUMS SHA512SUMS "$OUT/"
built_from >"$OUT/.done"
say "done: $OUT"
