# shellcheck shell=bash
# Installs Debian packages, but only those whose command is missing. To be sourced.

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -qq "$@"; }

refresh_package_lists_once() { # a fresh container has none
  [ -n "$(find /var/lib/apt/lists -name '*_Packages*' -print -quit)" ] || apt_get update
}

need() { # command=package (or /path/to/file=package)...
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || [ -e "${pair%%=*}" ] || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} = 0 ] && return
  [ "$(id -u)" = 0 ] || { echo "missing Debian packages: ${missing[*]} (install them, or run as root)" >&2; return 1; }
  echo "installing Debian packages: ${missing[*]}" >&2
  refresh_package_lists_once
  apt_get install -y --no-install-recommends "${missing[@]}" >/dev/null || {
    apt_get update
    apt_get install -y --no-install-recommends "${missing[@]}" >/dev/null
  }
}
