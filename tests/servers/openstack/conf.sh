# shellcheck shell=bash
# The configuration of one instance. Every path of the packages' defaults is replaced: nothing outside DIR and the
# virtual environment is read or written. What is exported here is read by seed.py.

export ADMIN_PASSWORD=test-admin
export USER_PASSWORD=test-user

write_conf() { # DIR; reads the ports KEYSTONE, GLANCE_ONE, GLANCE_TWO, WEB and sets the three URLs
  export KEYSTONE_URL=http://$HOST:$KEYSTONE/v3
  export GLANCE_ONE_URL=http://$HOST:$GLANCE_ONE
  export GLANCE_TWO_URL=http://$HOST:$GLANCE_TWO
  mkdir -p "$1/log" "$1/data" "$1/etc"
  keystone_conf "$1"
  glance_conf "$1" one RegionOne "$GLANCE_ONE_URL"
  glance_conf "$1" two RegionTwo "$GLANCE_TWO_URL"
}

keystone_conf() { # DIR
  local data=$1/data/keystone
  mkdir -p "$1/etc/keystone" "$data"
  cat >"$1/etc/keystone/keystone.conf" <<C
[DEFAULT]
log_file = $1/log/keystone.log
use_stderr = false
transport_url = fake:///
[oslo_messaging_notifications]
driver = noop
[database]
connection = sqlite:///$data/keystone.sqlite?timeout=60
[token]
provider = fernet
expiration = ${OPENSTACK_TOKEN_SECONDS:-3600}
[fernet_tokens]
key_repository = $data/fernet-keys
[fernet_receipts]
key_repository = $data/fernet-keys
[credential]
key_repository = $data/credential-keys
[identity]
password_hash_algorithm = bcrypt
password_hash_rounds = 4
[auth]
methods = password,token,application_credential
C
}

glance_conf() { # DIR name region url
  local etc=$1/etc/$2 data=$1/data/$2
  mkdir -p "$etc" "$data/fast" "$data/slow" "$data/staging" "$data/tasks" "$data/lock"
  cp "$VENV/etc/glance/glance-api-paste.ini" "$etc/"
  cat >"$etc/glance-api.conf" <<C
[DEFAULT]
log_file = $1/log/glance-$2.log
use_stderr = false
state_path = $data
worker_self_reference_url = $4
enabled_backends = fast:file, slow:file
enabled_import_methods = [glance-direct,web-download,copy-image]
node_staging_uri = file://$data/staging
transport_url = fake:///
use_keystone_limits = true
image_size_cap = 68719476736
limit_param_default = 25
api_limit_max = 1000
hashing_algorithm = sha512
[oslo_messaging_notifications]
driver = noop
[database]
connection = sqlite:///$data/glance.sqlite?timeout=60
[glance_store]
default_backend = fast
[fast]
filesystem_store_datadir = $data/fast
[slow]
filesystem_store_datadir = $data/slow
[os_glance_staging_store]
filesystem_store_datadir = $data/staging
[os_glance_tasks_store]
filesystem_store_datadir = $data/tasks
[oslo_concurrency]
lock_path = $data/lock
[paste_deploy]
config_file = $etc/glance-api-paste.ini
flavor = keystone
[keystone_authtoken]
www_authenticate_uri = $KEYSTONE_URL
auth_url = $KEYSTONE_URL
auth_type = password
username = glance
password = $ADMIN_PASSWORD
project_name = service
user_domain_id = default
project_domain_id = default
region_name = $3
interface = internal
memcached_servers =
token_cache_time = 300
[oslo_limit]
auth_url = $KEYSTONE_URL
auth_type = password
username = glance
password = $ADMIN_PASSWORD
user_domain_id = default
system_scope = all
endpoint_service_type = image
endpoint_region_name = $3
endpoint_interface = internal
[import_filtering_opts]
allowed_schemes = [http]
allowed_hosts = [$HOST]
allowed_ports = [$WEB]
[task]
task_executor = taskflow
work_dir = $data/tasks
[taskflow_executor]
engine_mode = serial
C
}
