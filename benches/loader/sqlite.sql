-- What a database administrator would write for one roster on SQLite:
--   sqlite3 -bail -cmd ".parameter set @organization \"'SLUG'\"" DATABASE \
--     ".read benches/loader/sqlite.sql" < roster.csv
-- One connection, one transaction. Reads a CSV with exactly the columns below, in this order.
PRAGMA synchronous = NORMAL;
PRAGMA foreign_keys = ON;
PRAGMA cache_size = -262144; -- KiB; with the default of 2 MiB it takes half as long again
BEGIN IMMEDIATE;

CREATE TEMP TABLE staging (
    external_id TEXT,
    email TEXT,
    badge_number TEXT,
    first_name TEXT,
    last_name TEXT,
    status TEXT,
    username TEXT,
    role TEXT,
    supervisor_email TEXT,
    location TEXT,
    rank TEXT,
    evidence_group TEXT,
    phone TEXT
);

.import --csv --skip 1 --schema temp /dev/stdin staging

-- Known users keep their IDs, the others get one here.
CREATE TEMP TABLE listed (
    key INTEGER PRIMARY KEY,
    user_id BLOB,
    email_key TEXT,
    supervisor_key TEXT
);
INSERT INTO listed
SELECT
    staging.rowid,
    coalesce(known.id, randomblob(16)),
    lower(staging.email),
    lower(staging.supervisor_email)
FROM staging
LEFT JOIN users AS known
    ON known.organization_id = (SELECT id FROM organizations WHERE slug = @organization)
    AND known.external_id = staging.external_id;
CREATE INDEX temp.listed_email ON listed (email_key);
CREATE INDEX temp.listed_supervisor ON listed (supervisor_key);

-- Supervisors first: while one that is referred to is missing, SQLite looks through the whole table at
-- each row. An UPDATE of all supervisors afterwards takes longer than this.
WITH RECURSIVE placed (key, supervisor_id) AS (
    SELECT listed.key, known.id
    FROM listed
    LEFT JOIN listed AS supervisor ON supervisor.email_key = listed.supervisor_key
    LEFT JOIN users AS known
        ON known.organization_id = (SELECT id FROM organizations WHERE slug = @organization)
        AND known.email_key = listed.supervisor_key
    WHERE supervisor.key IS NULL
    UNION ALL
    SELECT listed.key, supervisor.user_id
    FROM placed
    CROSS JOIN listed AS supervisor ON supervisor.key = placed.key
    CROSS JOIN listed ON listed.supervisor_key = supervisor.email_key
)
INSERT INTO users (
    organization_id, id, external_id, email, email_key, badge_number, first_name, last_name, active,
    username, username_key, role_id, supervisor_id, rank_id, group_id, phone, protected, created_at,
    updated_at
)
SELECT
    organizations.id,
    listed.user_id,
    staging.external_id,
    staging.email,
    listed.email_key,
    staging.badge_number,
    staging.first_name,
    staging.last_name,
    lower(staging.status) = 'active',
    staging.username,
    lower(staging.username),
    roles.id,
    placed.supervisor_id,
    ranks.id,
    evidence_groups.id,
    nullif(staging.phone, ''),
    FALSE,
    strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'),
    strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')
FROM placed
CROSS JOIN listed ON listed.key = placed.key
CROSS JOIN staging ON staging.rowid = placed.key
CROSS JOIN organizations ON organizations.slug = @organization
CROSS JOIN roles
    ON roles.organization_id = organizations.id AND roles.name_key = lower(staging.role)
LEFT JOIN ranks
    ON ranks.organization_id = organizations.id AND ranks.name_key = lower(staging.rank)
LEFT JOIN evidence_groups
    ON evidence_groups.organization_id = organizations.id
    AND evidence_groups.external_id = staging.evidence_group
WHERE TRUE -- the grammar needs it before ON CONFLICT
ON CONFLICT (organization_id, external_id) DO UPDATE SET
    email = excluded.email,
    email_key = excluded.email_key,
    badge_number = excluded.badge_number,
    first_name = excluded.first_name,
    last_name = excluded.last_name,
    active = excluded.active,
    username = excluded.username,
    username_key = excluded.username_key,
    role_id = excluded.role_id,
    supervisor_id = excluded.supervisor_id,
    rank_id = excluded.rank_id,
    group_id = excluded.group_id,
    phone = excluded.phone,
    updated_at = excluded.updated_at;

COMMIT;
