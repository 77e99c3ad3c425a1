#!/usr/bin/env bash
# boot.sh IMAGE [uefi|bios] [SECONDS]: boots IMAGE in an emulated machine (no KVM, no network) without changing it.
#
# Prints the marker line of the image and exits 0 if the machine printed it and powered itself off within the time
# (default 400 s); otherwise prints the end of its console on stderr and exits 1. FORMAT=raw|qcow2|vpc overrides what
# the file's name says.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: boot.sh IMAGE [uefi|bios] [SECONDS]" >&2; exit 2; }
image=$1 firmware=${2:-uefi} limit=${3:-400} marker=CLOUD-PUBLISH-BOOT-OK
[ -f "$image" ] || { echo "no such image: $image" >&2; exit 2; }
# shellcheck source=tools.sh
. "$(dirname "$(readlink -f "$0")")/tools.sh"
need qemu-system-x86_64=qemu-system-x86 qemu-img=qemu-utils /usr/share/OVMF/OVMF_CODE_4M.fd=ovmf

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $image in *.qcow2) format=qcow2 ;; *.vhd) format=vpc ;; *) format=raw ;; esac
machine=(-machine q35 -accel 'tcg,thread=multi' -cpu max -smp 2 -m 1024 -nodefaults -nographic -serial stdio -no-reboot
  -nic none -device virtio-rng-pci
  -drive "if=virtio,format=${FORMAT:-$format},file=$image,snapshot=on,file.locking=off")
if [ "$firmware" = uefi ]; then
  cp /usr/share/OVMF/OVMF_VARS_4M.fd "$work/vars.fd"
  machine+=(-drive 'if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd'
    -drive "if=pflash,unit=1,format=raw,file=$work/vars.fd")
fi
# the snapshot goes to TMPDIR; setpriv: the machine does not outlive this script
status=0
TMPDIR=$work setpriv --pdeathsig TERM timeout -k 5 "$limit" qemu-system-x86_64 "${machine[@]}" \
  </dev/null >"$work/console" 2>&1 || status=$?
line=$(tr -d '\r' <"$work/console" | grep -a -m1 "^$marker" || true)
if [ "$status" = 0 ] && [ -n "$line" ]; then
  printf '%s\n' "$line"
else
  tr -d '\r' <"$work/console" | tail -n 20 >&2
  echo "$image did not boot by $firmware: qemu ended with $status after ${SECONDS} s; marker: ${line:-none}" >&2
  exit 1
fi
