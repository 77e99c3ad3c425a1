#!/usr/bin/env bash
# gate.sh CLOUD [uefi|bios] [SECONDS]: a gate for publish.toml that boots the image of every region before it is public.
#
# Downloads each image by its id, as an entry of clouds.yaml that may see it while it is private, and boots it as boot.sh
# does. OPENSTACK_TEST_CLI names the program `openstack`.
set -euo pipefail
cloud=$1 firmware=${2:-uefi} limit=${3:-400}
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for region in $CLOUD_PUBLISH_REGIONS; do
  variable=CLOUD_PUBLISH_IMAGE_ID_$(tr '[:lower:]' '[:upper:]' <<<"$region" | tr -c '[:alnum:]\n' _)
  id=${!variable}
  glance() { "${OPENSTACK_TEST_CLI:-openstack}" --os-cloud "$cloud" --os-region-name "$region" image "$@"; }
  visibility=$(glance show --format value --column visibility "$id")
  echo "$region $id is $visibility"
  glance save --file "$work/$region.qcow2" "$id"
  "$here/boot.sh" "$work/$region.qcow2" "$firmware" "$limit"
done
