#!/usr/bin/env bash
# A real Keystone and two real Glance regions on loopback, for tests.
#
#   openstack.sh install    create the Python environment and the empty databases, shared by all instances
#   openstack.sh run DIR    run one instance in the foreground until it is told to stop (TERM); its data lives in DIR
#
# DIR/env appears when everything answers: a file to source, with the variables that tests read. Ports come from
# OPENSTACK_PORTS ("keystone glance-one glance-two"); without it free ones are chosen, as they always are for the fronts
# with TLS (front.py) and the web server from which Glance may download. The servers die with this script,
# even when it is killed. Needs Python 3.11 or newer with venv, setpriv and PyPI; no root.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
umask 077

HERE=$(dirname "$(readlink -f "$0")")
CACHE=${CLOUD_PUBLISH_CACHE:-$HERE/../../../.cache}
mkdir -p "$CACHE"
CACHE=$(readlink -f "$CACHE")
HOST=127.0.0.1
PYTHON=${PYTHON:-python3}
PACKAGES=(glance keystone python-openstackclient pyuwsgi) # their versions: constraints.txt
KEY=$(cat "$0" "$HERE/conf.sh" "$HERE/constraints.txt" | sha256sum | cut -c1-12)
SHARED=$CACHE/openstack/$KEY
VENV=$CACHE/openstack/venv-$(sha256sum <"$HERE/constraints.txt" | cut -c1-12)

say() { printf 'openstack: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# shellcheck source=conf.sh
. "$HERE/conf.sh"

quietly() { # log command...: what it prints goes to the log, whose end is shown if it fails
  local log=$1; shift
  "$@" >>"$log" 2>&1 || { tail -n 40 "$log" >&2; die "failed: ${*:0:3} (whole log: $log)"; }
}

install_venv() {
  [ -e "$VENV/.done" ] && return
  say "installing Keystone and Glance from PyPI (about 70 s)"
  rm -rf "$VENV"
  "$PYTHON" -m venv "$VENV" || die "cannot create a virtual environment (on Debian: apt-get install python3-venv)"
  quietly "$VENV/install.log" "$VENV/bin/pip" install --disable-pip-version-check --no-input --prefer-binary \
    --no-compile -c "$HERE/constraints.txt" "${PACKAGES[@]}"
  # the services import a lot: compile once, in parallel, so that every later start is quick
  "$VENV/bin/python" -m compileall -q -j 2 "$VENV/lib" >/dev/null 2>&1 || true
  touch "$VENV/.done"
}

install_schemas() { # empty databases, copied by every instance: saves 20 s for each
  [ -e "$SHARED/.done" ] && return
  say "creating the empty databases"
  rm -rf "$SHARED"
  mkdir -p "$SHARED"
  KEYSTONE=1 GLANCE_ONE=2 GLANCE_TWO=3 WEB=4 write_conf "$SHARED"
  quietly "$SHARED/log/schema.log" "$VENV/bin/keystone-manage" --config-file "$SHARED/etc/keystone/keystone.conf" db_sync
  quietly "$SHARED/log/schema.log" "$VENV/bin/glance-manage" --config-file "$SHARED/etc/one/glance-api.conf" db_sync
  "$VENV/bin/python" -c 'import sqlite3, sys; [sqlite3.connect(f).execute("pragma journal_mode=wal") for f in sys.argv[1:]]' \
    "$SHARED/data/keystone/keystone.sqlite" "$SHARED/data/one/glance.sqlite"
  touch "$SHARED/.done"
}

install() {
  mkdir -p "$CACHE/openstack"
  exec 9>"$CACHE/openstack/.lock"
  flock -w 900 9 || die "another installation has been running for 15 minutes"
  install_venv
  install_schemas
  exec 9>&-
}

free_ports() { # count; below the range from which outgoing connections take theirs
  "$PYTHON" - "$HOST" "$1" <<'P'
import random, socket, sys
ports = []
while len(ports) < int(sys.argv[2]):
    port = random.randint(20000, 31999)
    with socket.socket() as s:
        try: s.bind((sys.argv[1], port))
        except OSError: continue
    if port not in ports: ports.append(port)
print(*ports)
P
}

bootstrap() { # DIR: the admin user and the identity endpoints
  local manage=("$VENV/bin/keystone-manage" --config-file "$1/etc/keystone/keystone.conf") who=()
  [ "$(id -u)" = 0 ] && who=(--keystone-user root --keystone-group root)
  cp "$SHARED/data/keystone/keystone.sqlite" "$1/data/keystone/"
  cp "$SHARED/data/one/glance.sqlite" "$1/data/one/"
  cp "$SHARED/data/one/glance.sqlite" "$1/data/two/"
  mkdir -p "$1/data/keystone/fernet-keys" "$1/data/keystone/credential-keys"
  quietly "$1/log/bootstrap.log" "${manage[@]}" fernet_setup "${who[@]}"
  quietly "$1/log/bootstrap.log" "${manage[@]}" credential_setup "${who[@]}"
  OS_BOOTSTRAP_PASSWORD=$ADMIN_PASSWORD quietly "$1/log/bootstrap.log" "${manage[@]}" bootstrap \
    --bootstrap-username admin --bootstrap-project-name admin --bootstrap-role-name admin \
    --bootstrap-service-name keystone --bootstrap-region-id RegionOne --bootstrap-admin-url "$KEYSTONE_URL" \
    --bootstrap-public-url "$KEYSTONE_URL" --bootstrap-internal-url "$KEYSTONE_URL"
}

launch() { # DIR name port module environment...: the server's pid is in $PID
  local dir=$1 name=$2 port=$3 module=$4; shift 4
  # Uploads with Content-Length are exact; chunked ones work too, but uwsgi refuses a chunk over 1 MiB.
  # Connection: close, because uwsgi's http-socket drops idle connections without saying so.
  # Readers do not hold up writers (WAL mode, see install_schemas), and writers wait for each other (immediate.py).
  env "$@" PYTHONWARNINGS=ignore setpriv --pdeathsig TERM "$VENV/bin/uwsgi" \
    --http-socket "$HOST:$port" --module "$module" --procname-prefix "$name " --virtualenv "$VENV" --pythonpath "$HERE" --import immediate \
    --enable-threads --threads "${OPENSTACK_THREADS:-8}" --need-app --die-on-term --so-keepalive --buffer-size 65535 \
    --add-header "Connection: close" --socket-timeout 300 --http-timeout 300 --disable-logging --log-date --listen 64 \
    </dev/null >>"$dir/log/$name-uwsgi.log" 2>&1 &
  PID=$!
}

certificates() { # DIR: a CA of this instance, what it gave the fronts with TLS, and what it gave a client
  local tls=$1/tls name
  mkdir -p "$tls"
  quietly "$1/log/tls.log" openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
    -subj "/CN=test CA" -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -keyout "$tls/ca.key" -out "$tls/ca.pem"
  printf 'subjectAltName=IP:%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n' "$HOST" >"$tls/ext"
  for name in server client; do
    quietly "$1/log/tls.log" openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \
      -keyout "$tls/$name.key" -out "$tls/$name.csr"
    quietly "$1/log/tls.log" openssl x509 -req -in "$tls/$name.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" \
      -CAcreateserial -days 30 -extfile "$tls/ext" -out "$tls/$name.pem"
  done
}

launch_front() { # DIR: its pid is in $PID
  certificates "$1"
  mkdir -p "$1/web"
  setpriv --pdeathsig TERM "$VENV/bin/python" "$HERE/front.py" "$1" </dev/null >>"$1/log/front.log" 2>&1 &
  PID=$!
}

wait_http() { # pid name url: until it answers, or its process is gone
  local end=$((SECONDS + 90))
  until "$VENV/bin/python" "$HERE/answers.py" "$3"; do
    kill -0 "$1" 2>/dev/null || { tail -n 40 "$DIR/log/$2-uwsgi.log" >&2; die "$2 died while starting"; }
    [ "$SECONDS" -lt "$end" ] || { tail -n 40 "$DIR/log/$2-uwsgi.log" >&2; die "$2 does not answer after 90 s"; }
    sleep 0.2
  done
}

PIDS=()
stop() {
  trap - EXIT TERM INT
  [ ${#PIDS[@]} = 0 ] || kill -TERM "${PIDS[@]}" 2>/dev/null || true
  wait
}

run() {
  [ $# = 1 ] || die "usage: openstack.sh run DIR"
  install
  mkdir -p "$1"
  DIR=$(readlink -f "$1")
  read -r KEYSTONE GLANCE_ONE GLANCE_TWO <<<"${OPENSTACK_PORTS:-$(free_ports 3)}"
  read -r TLS_KEYSTONE TLS_GLANCE_ONE TLS_GLANCE_TWO TLS_CLIENT WEB <<<"$(free_ports 5)"
  export KEYSTONE GLANCE_ONE GLANCE_TWO TLS_KEYSTONE TLS_GLANCE_ONE TLS_GLANCE_TWO TLS_CLIENT WEB
  export no_proxy="$HOST,localhost${no_proxy:+,$no_proxy}"
  export NO_PROXY=$no_proxy
  write_conf "$DIR"
  bootstrap "$DIR"
  trap stop EXIT
  trap 'exit 143' TERM
  trap 'exit 130' INT
  launch "$DIR" keystone "$KEYSTONE" keystone.wsgi.api:application \
    OS_KEYSTONE_CONFIG_FILES=keystone.conf OS_KEYSTONE_CONFIG_DIR="$DIR/etc/keystone"
  local keystone=$PID one two; PIDS+=("$PID")
  launch "$DIR" glance-one "$GLANCE_ONE" glance.wsgi.api:application OS_GLANCE_CONFIG_DIR="$DIR/etc/one"
  one=$PID; PIDS+=("$PID")
  launch "$DIR" glance-two "$GLANCE_TWO" glance.wsgi.api:application OS_GLANCE_CONFIG_DIR="$DIR/etc/two"
  two=$PID; PIDS+=("$PID")
  launch_front "$DIR"; PIDS+=("$PID")
  wait_http "$keystone" keystone "$KEYSTONE_URL"
  quietly "$DIR/log/seed.log" "$VENV/bin/python" "$HERE/seed.py" "$DIR" "$VENV"
  wait_http "$one" glance-one "$GLANCE_ONE_URL/"
  wait_http "$two" glance-two "$GLANCE_TWO_URL/"
  mv "$DIR/env.new" "$DIR/env"
  say "ready: keystone $KEYSTONE_URL, RegionOne $GLANCE_ONE_URL, RegionTwo $GLANCE_TWO_URL; logs in $DIR/log"
  wait -n "${PIDS[@]}" || true
  die "a server stopped by itself; see $DIR/log"
}

case "${1:-}" in
  install) install ;;
  run) shift; run "$@" ;;
  *) die "usage: openstack.sh install | run DIR" ;;
esac
