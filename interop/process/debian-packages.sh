# For scripts that take something from Debian: `debian_packages PACKAGE...` installs those that are missing, as root or with sudo. It ends the
# script through its own `fail MESSAGE` when they cannot be had.

debian_packages() {
  local package missing=() as_root=()
  command -v dpkg-query >/dev/null || fail "no dpkg here; it is taken from Debian's packages $*"
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "installing ${missing[*]} needs root"
    as_root=(sudo -n)
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq)
  "${apt[@]}" update >&2 || fail 'apt-get update failed'
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2 || fail "apt-get install ${missing[*]} failed"
}
