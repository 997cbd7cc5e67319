# The program that is tested, for scripts that source this file, which give `fail`.

# Builds the program unless USER_IMPORT_BIN names one, and exports that.
provide_server() {
    if [[ -z ${USER_IMPORT_BIN:-} ]]; then
        cargo build --quiet
        USER_IMPORT_BIN=$(realpath "${CARGO_TARGET_DIR:-target}/debug/user-import")
    fi
    export USER_IMPORT_BIN
    [[ -x $USER_IMPORT_BIN ]] || fail "there is no program $USER_IMPORT_BIN."
}
