#!/bin/sh
# Backs up the PostgreSQL database that PGHOST, PGUSER, PGPASSWORD and PGDATABASE name:
#
#   postgres.sh FOLDER           once, to FOLDER/user-import-TIME.dump
#   postgres.sh FOLDER SECONDS   again and again, with this pause; compose.yaml does that
#
# Dumps older than BACKUP_KEEP_DAYS days (default: 14) are removed, once there is a newer one. A dump has its
# name only when it is whole. docs/backup.md says how to restore one.
set -eu
umask 077

folder=${1:?postgres.sh FOLDER [SECONDS]}
pause=${2:-}

back_up() {
    # The time of day too: a second dump of a day is another file.
    whole=$folder/user-import-$(date -u +%Y%m%dT%H%M%SZ).dump
    pg_dump --format=custom --file="$whole.partial" && mv "$whole.partial" "$whole" || {
        rm -f "$whole.partial"
        echo "postgres.sh: no backup was made" >&2
        return 1
    }
    echo "postgres.sh: $whole"
    find "$folder" -name 'user-import-*.dump' -mtime "+${BACKUP_KEEP_DAYS:-14}" -exec rm -f {} +
}

if [ -z "$pause" ]; then
    back_up
    exit
fi
trap 'exit 0' TERM INT
while :; do
    # A database that is away for a night is backed up in the next; the health check tells meanwhile.
    back_up || true
    sleep "$pause" &
    wait $!
done
