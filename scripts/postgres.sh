# A throwaway PostgreSQL cluster, for scripts that source this file.
#
# Before: `program` names the sourcing script in messages. `provide_postgres SETTINGS...` then finds
# PostgreSQL (on Debian it installs it where it is missing, and says so), starts a cluster on a free
# loopback port with these settings (NAME=VALUE) besides PostgreSQL's defaults, and removes it when the
# script ends.
# After: `bin` is the directory of PostgreSQL's programs, `postgres_url` reaches the cluster as a
# superuser, `postmaster` is its first process.

cluster=''      # directory of the throwaway cluster
bin=''          # directory of PostgreSQL's programs
port=''         # where the cluster listens
postgres_url='' # postgres://USER:PASSWORD@HOST:PORT/DATABASE
postmaster=''   # process ID
server=()       # prefix that runs a command as the user who owns the cluster

say() { echo "$program: $*" >&2; }

fail() {
    say "$*"
    exit 1
}

# Sets `bin` to the newest installed PostgreSQL. Returns false if none is installed.
find_postgres() {
    local initdb
    initdb=$(find /usr/lib/postgresql/*/bin -name initdb 2>/dev/null | sort -V | tail -n 1)
    initdb=${initdb:-$(command -v initdb || true)}
    [[ -n $initdb ]] || return 1
    bin=$(dirname "$initdb")
    [[ -x $bin/postgres && -x $bin/pg_ctl ]]
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "neither root nor sudo: cannot run \"$*\". Install what it would install, then try again."
    fi
}

# Installs Debian packages.
install_packages() {
    command -v apt-get >/dev/null ||
        fail "this machine lacks $*, and has no apt-get to install that with. Install it, then try again."
    say "installing $*"
    as_root apt-get update -qq >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# Installs the programs alone: without this setting Debian's package also starts a server of its own.
install_postgres() {
    local setting=/etc/postgresql-common/createcluster.d/user-import-tests.conf
    install_packages postgresql-common
    as_root mkdir -p "${setting%/*}"
    echo 'create_main_cluster = false' | as_root tee "$setting" >/dev/null
    install_packages postgresql
    as_root rm -f "$setting"
}

provide_compiler() {
    command -v cargo >/dev/null || fail "no cargo on this machine. Install Rust 1.94 or newer, then try again."
    command -v cc >/dev/null || install_packages gcc libc6-dev
}

remove_cluster() {
    [[ -n $cluster ]] || return 0
    if [[ -f $cluster/data/postmaster.pid ]]; then
        "${server[@]}" "$bin/pg_ctl" stop -D "$cluster/data" -m immediate -s || true
    fi
    rm -rf "$cluster"
}

# PostgreSQL refuses to run as root.
choose_server_user() {
    ((EUID == 0)) || return 0
    local user=nobody
    if id postgres >/dev/null 2>&1; then
        user=postgres
    fi
    chown -R "$user" "$cluster"
    server=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups env -C "$cluster")
}

# A linguistic collation, as production clusters have: a query that relies on byte order fails here.
create_cluster() {
    local options=(--no-sync --encoding=UTF8 --locale=C.UTF-8)
    if "$bin/initdb" --help | grep -q -- --locale-provider; then
        options+=(--locale-provider=icu --icu-locale=en-US)
    fi
    "${server[@]}" "$bin/initdb" -D "$cluster/data" -U postgres -A password --pwfile="$cluster/password" \
        "${options[@]}" >/dev/null || fail "initdb failed"
}

# Tries ports until the server could bind one: asking for a free one first would be a race. They are
# below the range that systems hand out by themselves.
start_cluster() {
    local log=$cluster/data/server.log setting
    local settings="-h 127.0.0.1 -c unix_socket_directories=''"
    for setting in "$@"; do
        settings+=" -c $setting"
    done
    for _ in {1..20}; do
        port=$((15000 + RANDOM % 15000))
        if "${server[@]}" "$bin/pg_ctl" start -D "$cluster/data" -w -t 300 -s -l "$log" \
            -o "-p $port $settings" 2>/dev/null; then
            return
        fi
        grep -q 'could not create any TCP/IP sockets' "$log" || break
    done
    fail "PostgreSQL does not start: $(tail -n 20 "$log")"
}

provide_programs() {
    find_postgres || install_postgres
    find_postgres || fail "still no PostgreSQL after installing it: no initdb, postgres and pg_ctl together."
}

provide_postgres() {
    provide_programs
    trap remove_cluster EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    cluster=$(mktemp -d /tmp/user-import-postgres.XXXXXXXX)
    local password
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    echo "$password" >"$cluster/password"
    choose_server_user
    create_cluster
    start_cluster "$@"
    postgres_url="postgres://postgres:$password@127.0.0.1:$port/postgres"
    postmaster=$("${server[@]}" head -n 1 "$cluster/data/postmaster.pid")
    say "PostgreSQL from $bin on port $port"
}
