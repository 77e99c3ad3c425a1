#!/usr/bin/env bash
# Uploads a disk to the fake AWS with coldsnap, downloads it again and compares: coldsnap_roundtrip.sh COLDSNAP
# The variables that lead to the fake must be there (AWS_ENDPOINT_URL and so on).
set -euo pipefail

coldsnap=${1:?"coldsnap_roundtrip.sh COLDSNAP"}
case ${AWS_ENDPOINT_URL:?} in
  http://127.0.0.1:*) ;;
  *) echo "only the fake is asked: $AWS_ENDPOINT_URL" >&2; exit 2 ;;
esac
region=${AWS_REGION:-us-east-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 67 MiB with a hole of 40; its last block is not full
head -c 20M /dev/urandom >"$work/disk"
truncate -s 60M "$work/disk"
head -c 7777777 /dev/urandom >>"$work/disk"

run() { "$coldsnap" --region "$region" --endpoint "$AWS_ENDPOINT_URL" "$@"; }

size=$(stat -c %s "$work/disk")
for holes in "" --omit-zero-blocks; do
  truncate -s "$size" "$work/disk"
  # shellcheck disable=SC2086 # none or one option
  snapshot=$(run upload --wait --no-progress $holes --tag Key=owner,Value=coldsnap "$work/disk")
  case $snapshot in snap-*) ;; *) echo "no snapshot: $snapshot" >&2; exit 1 ;; esac
  rm -f "$work/back"
  run download --no-progress "$snapshot" "$work/back"
  # a volume is whole GiB: what follows the disk is zeros
  truncate -s 1G "$work/disk"
  cmp "$work/disk" "$work/back"
done
echo "coldsnap: the same bytes, with and without the blocks of zeros"
