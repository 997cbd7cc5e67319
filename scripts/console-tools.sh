# Node, the console's packages and a browser, for scripts that source this file after `postgres.sh`.

node_version=22.23.3
tools=$PWD/target/console-tools

# Node as console/package.json asks for it, and npm. Debian 12 has an older Node: the npm package of that name brings
# a newer one, for this script alone.
provide_node() {
    command -v node >/dev/null && command -v npm >/dev/null || install_packages nodejs npm
    has_new_node && return
    if [[ ! -x $tools/node_modules/node/bin/node ]]; then
        say "Node $node_version in place of $(node --version), which is too old"
        npm install --silent --no-save --no-audit --no-fund --prefix "$tools" "node@$node_version" ||
            fail "cannot install Node $node_version."
    fi
    PATH=$tools/node_modules/node/bin:$PATH
    has_new_node || fail "still no Node of 20.19, 22.12 or newer: $(node --version)."
}

has_new_node() {
    node --eval 'const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)'
}

# The very packages of the lock file; none again while it stands.
provide_packages() {
    local installed=console/node_modules/.package-lock.json
    [[ $installed -nt console/package-lock.json ]] || (cd console && npm ci --silent --no-audit --no-fund)
}

provide_browser() {
    [[ -x /usr/bin/chromium ]] || install_packages chromium
}
