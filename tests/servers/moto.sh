#!/usr/bin/env bash
# Installs moto, a server that answers like S3, into a folder of its own: moto.sh DIR. The tests that need it start it.
set -euo pipefail

VERSION=5.2.5
dir=${1:?"moto.sh DIR"}
[ "$(cat "$dir/.done" 2>/dev/null)" != "$VERSION" ] || exit 0
rm -rf "$dir"
python3 -m venv "$dir"
"$dir/bin/pip" install --quiet --disable-pip-version-check "moto[server,s3]==$VERSION"
echo "$VERSION" >"$dir/.done"
