# shellcheck shell=bash
# Stages with their times, and what the tests said. To be sourced by tests/run.

FAILED_STAGES=()
RESULTS=$(mktemp) # one line for each test: ok|FAILED|ignored, a blank, its full name

stage() { # name command...: runs it; a failure is remembered and the next stage runs
  local name=$1 begin=$SECONDS status=0; shift
  printf '\n== %s\n' "$name"
  "$@" || status=$?
  [ $status = 0 ] || FAILED_STAGES+=("$name")
  printf '== %s: %s after %d s\n' "$name" "$([ $status = 0 ] && echo ok || echo FAILED)" $((SECONDS - begin))
}

counted() { # a cargo test command: shows its output and adds its results to $RESULTS
  local status=0
  "$@" 2>&1 | tee >(results >>"$RESULTS") || status=$?
  return $status
}

# The full name of a test is that of its binary and its own: `rig::both_regions_answer`, `cloud_publish_core::names::tests::...`
results() {
  awk '
    $1 == "Running" { n = split($NF, path, "/"); binary = path[n]; sub(/-[0-9a-f]+\)$/, "", binary) }
    $1 == "Doc-tests" { binary = $2 }
    /^test .* \.\.\. (ok|FAILED|ignored)/ {
      result = $0; sub(/^.* \.\.\. /, "", result); sub(/[ ,].*/, "", result)
      name = $0; sub(/^test /, "", name); sub(/ \.\.\. .*/, "", name); sub(/ - should panic$/, "", name)
      print result, binary "::" name
    }'
}

check_required() { # file: each line a full test name, or "name if PATH": required only where PATH exists
  local name condition missing=0
  while read -r name condition; do
    case $name in '' | '#'*) continue ;; esac
    [ -z "$condition" ] || [ -e "${condition#if }" ] || continue
    grep -qxF "ok $name" "$RESULTS" && continue
    echo "a required test did not pass: $name ($(grep -F " $name" "$RESULTS" | cut -d' ' -f1 | head -1 | grep . || echo "it did not run"))"
    missing=1
  done <"$1"
  return $missing
}

summary() { # the last line; fails if anything did
  local ok failed ignored
  ok=$(grep -c '^ok ' "$RESULTS" || true)
  failed=$(grep -c '^FAILED ' "$RESULTS" || true)
  ignored=$(grep -c '^ignored ' "$RESULTS" || true)
  rm -f "$RESULTS"
  printf '\n'
  [ ${#FAILED_STAGES[@]} = 0 ] || { printf 'failed: %s\n' "${FAILED_STAGES[@]}"; }
  printf '%d passed, %d failed, %d ignored\n' "$ok" "$failed" "$ignored"
  [ ${#FAILED_STAGES[@]} = 0 ]
}
