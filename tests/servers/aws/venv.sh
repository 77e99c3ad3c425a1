#!/usr/bin/env bash
# Installs the Python clients that check the fake AWS into a folder of their own: venv.sh DIR.
set -euo pipefail

dir=${1:?"venv.sh DIR"}
wanted=$(dirname "$0")/requirements.txt
! cmp --quiet "$wanted" "$dir/.done" || exit 0
rm -rf "$dir"
"${PYTHON:-python3}" -m venv "$dir"
"$dir/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
cp "$wanted" "$dir/.done"
