# shellcheck shell=bash
# Stages with their times, what the tests said, and the clean-up. To be sourced by tests/run.

FAILED_STAGES=()
STAGE='' SERVERS='' DATA=''

begin() { # makes $DATA, a folder for this run alone
  local left pid
  mkdir -p .cache
  for left in .cache/run-*; do # of a run that was killed: its servers died with it
    pid=$(cat "$left/pid" 2>/dev/null) || continue
    kill -0 "$pid" 2>/dev/null || rm -rf "$left"
  done
  DATA=$(mktemp -d "$PWD/.cache/run-XXXXXX")
  echo $$ >"$DATA/pid"
  touch "$DATA/results"
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

finish() { # stops what this run started, and nothing else
  trap - EXIT INT TERM
  [ -z "$STAGE" ] || kill -TERM -- "-$STAGE" 2>/dev/null || true
  [ -z "$SERVERS" ] || kill -TERM "$SERVERS" 2>/dev/null || true
  wait
  rm -rf "$DATA"
}

stage() { # name command...: runs it; a failure is remembered and the next stage runs
  local name=$1 begin=$SECONDS status=0 word=ok; shift
  printf '\n== %s\n' "$name"
  # in a process group of its own, so that a signal to this script ends all of it at once
  set -m
  "$@" </dev/null &
  STAGE=$!
  set +m
  wait "$STAGE" || status=$?
  STAGE=
  [ $status = 0 ] || { word=FAILED; FAILED_STAGES+=("$name"); }
  printf '== %s: %s after %d s\n' "$name" "$word" $((SECONDS - begin))
}

counted() { # a cargo test command: shows its output and keeps the results in $DATA/results
  local status=0
  CARGO_TERM_COLOR=never "$@" 2>&1 | tee "$DATA/output" || status=$?
  results <"$DATA/output" >>"$DATA/results"
  return $status
}

# From the output of cargo test, one line for each test: ok, FAILED or ignored, a blank, the full name. That is the name
# of the test's binary and its own: `rig::tiny_image_boots_from_raw`, `cloud_publish_core::names::tests::...`.
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

check_required() { # file: each line a full test name, or "NAME if PATH": required only where PATH exists
  local name condition said status=0
  while read -r name condition; do
    case $name in '' | '#'*) continue ;; esac
    [ -z "$condition" ] || [ -e "${condition#if }" ] || continue
    said=$(awk -v name="$name" '$2 == name && NF == 2 { print $1; exit }' "$DATA/results")
    [ "$said" = ok ] || { echo "a required test did not pass: $name (${said:-it did not run})"; status=1; }
  done <"$1"
  return $status
}

summary() { # what failed, and the last line; returns 1 if anything did
  local said count=()
  for said in ok FAILED ignored; do count+=("$(grep -c "^$said " "$DATA/results" || true)"); done
  printf '\n== all of it: %d s\n' "$SECONDS"
  [ ${#FAILED_STAGES[@]} = 0 ] || printf 'failed stage: %s\n' "${FAILED_STAGES[@]}"
  printf '%d passed, %d failed, %d ignored\n' "${count[@]}"
  [ ${#FAILED_STAGES[@]} = 0 ]
}
