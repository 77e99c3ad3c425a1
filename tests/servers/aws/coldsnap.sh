#!/usr/bin/env bash
# Builds coldsnap, Amazon's own client of EBS direct, into a folder of its own: coldsnap.sh DIR. It takes minutes, and
# gigabytes of memory: EC2's client is compiled without optimising, for coldsnap calls it a few times only. What moves
# blocks is compiled as it is released, so that it can be measured.
set -euo pipefail

VERSION=0.12.0
dir=${1:?"coldsnap.sh DIR"}
[ "$(cat "$dir/.done" 2>/dev/null)" != "$VERSION" ] || exit 0
mkdir -p "$dir"
dir=$(readlink -f "$dir")
slow=()
for crate in aws-sdk-ec2 aws-sdk-sso aws-sdk-ssooidc aws-sdk-sts; do
  slow+=(--config "profile.release.package.$crate.opt-level=0")
done
# in a folder without a workspace around it, whose own settings would count
cd "$dir"
CARGO_TARGET_DIR=$dir/target cargo install --quiet --locked --root "$dir" --version "$VERSION" \
  --config 'profile.release.debug=0' "${slow[@]}" coldsnap
rm -rf "$dir/target"
echo "$VERSION" >"$dir/.done"
