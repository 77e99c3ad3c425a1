#!/usr/bin/env bash
# Installs the Python clients that check the fake AWS into a folder of their own: venv.sh DIR. boto3 with the checksums
# that only its C runtime has, and awspub, which publishes images with it.
set -euo pipefail

AWSPUB=0.0.16
dir=${1:?"venv.sh DIR"}
pins=$(dirname "$(readlink -f "$0")")/requirements.txt
key="awspub $AWSPUB $(sha256sum <"$pins" | cut -c1-12)"
[ "$(cat "$dir/.done" 2>/dev/null)" != "$key" ] || exit 0
rm -rf "$dir"
"${PYTHON:-python3}" -m venv "$dir"
"$dir/bin/pip" install --quiet --disable-pip-version-check -r "$pins" "awspub==$AWSPUB"
echo "$key" >"$dir/.done"
