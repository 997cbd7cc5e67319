# nginx, HAProxy and PgBouncer, for scripts that source this file after `postgres.sh`.
#
# `provide_proxies` installs those that are missing with Debian's packages, and says so. The tests start the programs
# themselves: no service of theirs is started or enabled.

provide_proxies() {
    local missing=()
    # Debian's servers are where only root looks for programs.
    PATH=$PATH:/usr/sbin
    command -v nginx >/dev/null || missing+=(nginx-light)
    command -v haproxy >/dev/null || missing+=(haproxy)
    command -v pgbouncer >/dev/null || missing+=(pgbouncer)
    ((${#missing[@]} == 0)) || install_without_services "${missing[@]}"
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
    done
}
