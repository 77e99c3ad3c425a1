#!/usr/bin/env bash
# big-customize.sh ROOT: what mmdebstrap runs inside the fresh tree of big.sh: boot loader, marker service, clean-up.
# Reads MARKER, ROOT_UUID, ESP_VOLID and SOURCE_DATE_EPOCH.
set -euo pipefail
root=$1

printf 'cloud-publish-test\n' >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 cloud-publish-test\n::1 localhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"
rm -f "$root/etc/resolv.conf" "$root/var/lib/dbus/machine-id"
: >"$root/etc/resolv.conf"
: >"$root/etc/machine-id"
ln -sf /etc/machine-id "$root/var/lib/dbus/machine-id"
cat >"$root/etc/fstab" <<S
UUID=$ROOT_UUID / ext4 rw,discard,errors=remount-ro,x-systemd.growfs 0 1
UUID=${ESP_VOLID:0:4}-${ESP_VOLID:4} /boot/efi vfat defaults 0 0
S
mkdir -p "$root/boot/efi" "$root/boot/grub/i386-pc" "$root/usr/local/sbin"
# where this image's own apt would fetch from is left to whoever uses it
printf '# set by the build: no sources\n' >"$root/etc/apt/sources.list"
rm -f "$root"/etc/apt/sources.list.d/*
printf '[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/10-dhcp.network"
chroot "$root" systemctl enable -q systemd-networkd
# host keys are made on first boot, by cloud-init; none are baked in
rm -f "$root"/etc/ssh/ssh_host_*

cat >"$root/usr/local/sbin/cloud-publish-boot-ok" <<S
#!/bin/sh
fw=bios; [ -d /sys/firmware/efi ] && fw=uefi
failed=\$(systemctl list-units --failed --no-legend --plain | wc -l)
rootfs=\$(findmnt -no SOURCE,FSTYPE,SIZE / | tr -s ' ' ,)
printf '\\n%s variant=debian kernel=%s firmware=%s root=%s failed_units=%s\\n' \\
  $MARKER "\$(uname -r)" "\$fw" "\$rootfs" "\$failed" > /dev/console
systemctl --no-block poweroff
S
chmod 755 "$root/usr/local/sbin/cloud-publish-boot-ok"
cat >"$root/etc/systemd/system/cloud-publish-boot-ok.service" <<'S'
[Unit]
Description=Print the boot marker on the console, then power off
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/cloud-publish-boot-ok
[Install]
WantedBy=multi-user.target
S
chroot "$root" systemctl enable -q cloud-publish-boot-ok.service

kernel=$(find "$root/lib/modules" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -V | tail -n 1)
cat >"$root/boot/grub/grub.cfg" <<S
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=0
search --no-floppy --fs-uuid --set=root $ROOT_UUID
menuentry 'Debian GNU/Linux 12' {
  linux /boot/vmlinuz-$kernel root=UUID=$ROOT_UUID ro console=tty0 console=ttyS0,115200 earlyprintk=ttyS0,115200
  initrd /boot/initrd.img-$kernel
}
S
chroot "$root" grub-mkimage -O i386-pc -d /usr/lib/grub/i386-pc -o /boot/grub/i386-pc/core.img -p '(hd0,gpt1)/boot/grub' \
  biosdisk part_gpt ext2 normal configfile linux search search_fs_uuid serial terminal echo test
cp "$root/usr/lib/grub/i386-pc/boot.img" "$root/boot/grub/i386-pc/"
# an initramfs with a fixed time
chroot "$root" env SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" update-initramfs -u -k "$kernel" >/dev/null

rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/log/*.log \
  "$root"/var/log/apt/* "$root/var/cache/ldconfig/aux-cache" "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old \
  "$root"/tmp/* "$root/var/lib/systemd/random-seed" "$root/etc/apt/apt.conf.d/99mmdebstrap" "$root/etc/.pwd.lock"
