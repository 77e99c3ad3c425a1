#!/usr/bin/env bash
# Uploads a disk to the fake AWS with coldsnap, downloads it again and compares: coldsnap_roundtrip.sh COLDSNAP
# The variables that lead to the fake must be there (AWS_ENDPOINT_URL and so on).
set -euo pipefail

coldsnap=${1:?"coldsnap_roundtrip.sh COLDSNAP"}
case ${AWS_ENDPOINT_URL:?} in http://127.0.0.1:*) ;; *) echo "only the fake is asked: $AWS_ENDPOINT_URL" >&2; exit 2 ;; esac
region=${AWS_REGION:-us-east-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 67 MiB with a hole of 40, whose last block is not full
head -c 20M /dev/urandom >"$work/disk"
truncate -s 60M "$work/disk"
head -c 7777777 /dev/urandom >>"$work/disk"

run() { "$coldsnap" --region "$region" --endpoint "$AWS_ENDPOINT_URL" "$@"; }

for holes in "" --omit-zero-blocks; do
  # shellcheck disable=SC2086 # none or one option
  snapshot=$(run upload --wait --no-progress $holes --description "round trip" --tag Key=owner,Value=coldsnap "$work/disk")
  case $snapshot in snap-*) ;; *) echo "no snapshot: $snapshot" >&2; exit 1 ;; esac
  rm -f "$work/back"
  run download --no-progress "$snapshot" "$work/back"
  # a volume is whole GiB: what follows the disk is zeros
  [ "$(stat -c %s "$work/back")" -eq $((1 << 30)) ]
  cmp -n "$(stat -c %s "$work/disk")" "$work/disk" "$work/back"
  tail -c +"$(($(stat -c %s "$work/disk") + 1))" "$work/back" | cmp -n $(((1 << 30) - $(stat -c %s "$work/disk"))) - /dev/zero
done
echo "coldsnap: the same bytes, with and without the blocks of zeros"
