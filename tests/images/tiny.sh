#!/usr/bin/env bash
# tiny.sh OUTDIR: builds a small disk that really boots, from Debian's own packages, in under a minute.
#
# A 64 MiB GPT disk with one EFI system partition that holds a unified kernel image: systemd's EFI stub, Debian's cloud
# kernel and an initramfs of busybox, which prints a marker line on the serial console and powers off.
# OUTDIR gets tiny.raw, tiny.qcow2, tiny.build.json, packages.tsv, SHA256SUMS and SHA512SUMS. Built already: does nothing.
# The same packages give the same bytes. Needs apt sources with bookworm main; no mount, no chroot, no loop device.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC
umask 022
[ $# = 1 ] || { echo "usage: tiny.sh OUTDIR" >&2; exit 2; }
HERE=$(dirname "$(readlink -f "$0")")
mkdir -p "$1"
OUT=$(readlink -f "$1")
export SOURCE_DATE_EPOCH=1704124800 # 2024-01-01T16:00:00Z
DISK_MIB=64
LAST_SECTOR=$((DISK_MIB * 2048 - 2048 - 1))
MARKER=CLOUD-PUBLISH-BOOT-OK

say() { printf 'tiny image: [%3ds] %s\n' "$SECONDS" "$*" >&2; }
# shellcheck source=tools.sh
. "$HERE/tools.sh"

built_from() { cat "$HERE/tiny.sh" "$HERE/build_manifest.py" | sha256sum; }

download_packages() { # into the current folder; unpacked below x/
  local kernel
  refresh_package_lists_once
  kernel=$(newest_kernel)
  [ -n "$kernel" ] || { apt_get update; kernel=$(newest_kernel); }
  [ -n "$kernel" ] || { echo "apt knows no linux-image-cloud-amd64: are there Debian sources with main?" >&2; exit 1; }
  say "downloading $kernel, busybox-static and systemd-boot-efi"
  local what=(-o APT::Sandbox::User=root download "$kernel" busybox-static systemd-boot-efi)
  apt_get "${what[@]}" || { apt_get update; apt_get "${what[@]}"; }
  local deb
  for deb in *.deb; do
    dpkg-deb -x "$deb" x
    # shellcheck disable=SC2016 # dpkg-deb expands these
    dpkg-deb -W --showformat '${Package}\t${Version}\t${Architecture}\n' "$deb"
  done | sort >packages.tsv
}

newest_kernel() { apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-[0-9]/ { print $2; exit }'; }

make_initramfs() { # ./initrd
  local applet
  mkdir -p i/bin i/dev i/proc i/sys
  cp "$(find x -type f -path '*bin/busybox')" i/bin/busybox
  for applet in sh mount uname poweroff sync; do ln -s busybox "i/bin/$applet"; done
  cat >i/init <<S
#!/bin/sh
mount -t devtmpfs dev /dev; mount -t proc proc /proc; mount -t sysfs sys /sys
fw=bios; [ -d /sys/firmware/efi ] && fw=uefi
printf '\n%s variant=tiny kernel=%s firmware=%s\n' $MARKER "\$(uname -r)" \$fw > /dev/console
sync; poweroff -f
S
  chmod 755 i/init
  find i -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  (cd i && find . | sort | cpio --quiet -o -H newc -R 0:0 --reproducible) | gzip -9n >initrd
}

make_kernel_image() { # ./BOOTX64.EFI: the parts become sections above the stub's own, each aligned
  local stub=x/usr/lib/systemd/boot/efi/linuxx64.efi.stub
  printf 'console=ttyS0,115200 panic=-1 quiet loglevel=3\0' >cmdline
  printf 'ID=debian\nVERSION_ID=12\nPRETTY_NAME="cloud-publish tiny"\n' >osrel
  local -a sections
  read -r -a sections < <(python3 - "$stub" x/boot/vmlinuz-* <<'P'
import os, subprocess, sys
stub, kernel = sys.argv[1:]
end, options = 0, []
for line in subprocess.run(["objdump", "-h", stub], capture_output=True, text=True, check=True).stdout.splitlines():
    field = line.split()
    if len(field) >= 7 and field[0].isdigit():
        end = max(end, int(field[2], 16) + int(field[3], 16))
at = (end + 0xffff) & ~0xffff
for name, path in ((".osrel", "osrel"), (".cmdline", "cmdline"), (".initrd", "initrd"), (".linux", kernel)):
    options += ["--add-section", f"{name}={path}", "--change-section-vma", f"{name}={at:#x}"]
    at = (at + os.path.getsize(path) + 0xffff) & ~0xffff
print(*options)
P
  )
  objcopy "${sections[@]}" "$stub" BOOTX64.EFI
  python3 - <<'P' # objcopy stamps the clock into the PE header; the checksum beside it is looked at by nobody
import os, struct
with open("BOOTX64.EFI", "r+b") as file:
    head = file.read(4096)
    pe = struct.unpack_from("<I", head, 0x3c)[0]
    assert head[pe:pe + 4] == b"PE\0\0"
    file.seek(pe + 8); file.write(struct.pack("<I", int(os.environ["SOURCE_DATE_EPOCH"])))
    file.seek(pe + 24 + 64); file.write(bytes(4))
P
}

make_disk() { # ./tiny.raw and ./tiny.qcow2
  mkdir -p e/EFI/BOOT
  mv BOOTX64.EFI e/EFI/BOOT/
  find e -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
  truncate -s "${DISK_MIB}M" tiny.raw
  sgdisk -a 2048 -U 5e1f0f4c-0d55-4b5e-9c0a-c10d9b12c001 -n "1:2048:$LAST_SECTOR" -t 1:EF00 \
    -u 1:5e1f0f4c-0d55-4b5e-9c0a-c10d9b12c101 tiny.raw >/dev/null
  mkfs.vfat --invariant -F 32 -s 1 -i C10D9B12 -n ESP --offset 2048 tiny.raw $(((LAST_SECTOR + 1 - 2048) / 2)) >/dev/null 2>&1
  # mcopy -s -m keeps the folders' times too; mmd would write the clock's
  MTOOLS_SKIP_CHECK=1 mcopy -s -m -i tiny.raw@@1M e/EFI ::/
  sgdisk -v tiny.raw | grep -q 'No problems found'
  fallocate --dig-holes tiny.raw || say "this file system has no holes: tiny.raw takes $DISK_MIB MiB"
  qemu-img convert -f raw -O qcow2 -c tiny.raw tiny.qcow2
}

[ "$(cat "$OUT/.done" 2>/dev/null)" = "$(built_from)" ] && { say "built already"; exit 0; }
rm -f "$OUT/.done"
need sgdisk=gdisk mcopy=mtools mkfs.vfat=dosfstools objcopy=binutils cpio=cpio qemu-img=qemu-utils python3=python3
WORK=$(mktemp -d "$OUT/work.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"
download_packages
say "making the initramfs, the unified kernel image and the disk"
make_initramfs
make_kernel_image
make_disk
sha256sum tiny.raw tiny.qcow2 >SHA256SUMS
sha512sum tiny.raw tiny.qcow2 >SHA512SUMS
python3 "$HERE/build_manifest.py" tiny tiny 20240101-1614
mv tiny.raw tiny.qcow2 tiny.build.json packages.tsv SHA256SUMS SHA512SUMS "$OUT/"
built_from >"$OUT/.done"
say "done: $OUT"
