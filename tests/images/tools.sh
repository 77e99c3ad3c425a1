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
  apt_install "${missing[@]}" || { apt_get update && apt_install "${missing[@]}"; } ||
    install_with_backports "${missing[@]}"
}

apt_install() { apt_get "${APT_OPTIONS[@]}" install -y --no-remove --no-install-recommends "$@" >/dev/null; }
APT_OPTIONS=()

# A machine that took one package of a source from backports (qemu-utils, say) can take its siblings only from there.
install_with_backports() {
  local uri suite extra status=0
  # shellcheck disable=SC2016 # apt expands these
  read -r uri suite < <(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 'Origin: Debian' \
    'Label: Debian' | grep -v backports)
  extra=$(mktemp --suffix=.list)
  { cat /etc/apt/sources.list 2>/dev/null || true
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite-backports main"; } >"$extra"
  chmod 644 "$extra"
  APT_OPTIONS=(-o "Dir::Etc::sourcelist=$extra" -o APT::Get::List-Cleanup=0)
  { apt_get "${APT_OPTIONS[@]}" update && apt_install -t "$suite-backports" "$@"; } || status=$?
  APT_OPTIONS=()
  rm -f "$extra"
  return $status
}
