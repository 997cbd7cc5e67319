-- What a database administrator would write for one roster on PostgreSQL:
--   psql -v organization=SLUG -f benches/loader/postgres.sql DATABASE < roster.csv
-- One session, one transaction. Reads a CSV with exactly the columns below, in this order.
\set ON_ERROR_STOP on
BEGIN;

CREATE TEMP TABLE staging (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    external_id text COLLATE "C",
    email text,
    badge_number text,
    first_name text,
    last_name text,
    status text,
    username text,
    role text,
    supervisor_email text,
    location text,
    rank text,
    evidence_group text,
    phone text
) ON COMMIT DROP;

\copy staging (external_id, email, badge_number, first_name, last_name, status, username, role, supervisor_email, location, rank, evidence_group, phone) FROM pstdin WITH (FORMAT csv, HEADER true)

ANALYZE staging;

-- A supervisor may be in the file or not, and may be new: known users keep their IDs, the others have
-- one from staging, so that one INSERT writes the whole row.
WITH organization AS MATERIALIZED (
    SELECT id FROM organizations WHERE slug = :'organization'
),
listed AS MATERIALIZED (
    SELECT
        organization.id AS organization_id,
        staging.*,
        coalesce(known.id, staging.id) AS user_id,
        lower(staging.email) COLLATE "C" AS email_key,
        lower(staging.supervisor_email) COLLATE "C" AS supervisor_key
    FROM staging
    CROSS JOIN organization
    LEFT JOIN users AS known
        ON known.organization_id = organization.id AND known.external_id = staging.external_id
)
INSERT INTO users (
    organization_id, id, external_id, email, email_key, badge_number, first_name, last_name, active,
    username, username_key, role_id, supervisor_id, rank_id, group_id, phone, protected, created_at,
    updated_at
)
SELECT
    listed.organization_id,
    listed.user_id,
    listed.external_id,
    listed.email,
    listed.email_key,
    listed.badge_number,
    listed.first_name,
    listed.last_name,
    lower(listed.status) = 'active',
    listed.username,
    lower(listed.username),
    roles.id,
    coalesce(listed_supervisor.user_id, known_supervisor.id),
    ranks.id,
    evidence_groups.id,
    listed.phone,
    FALSE,
    now(),
    now()
FROM listed
JOIN roles
    ON roles.organization_id = listed.organization_id AND roles.name_key = lower(listed.role)
LEFT JOIN ranks
    ON ranks.organization_id = listed.organization_id AND ranks.name_key = lower(listed.rank)
LEFT JOIN evidence_groups
    ON evidence_groups.organization_id = listed.organization_id
    AND evidence_groups.external_id = listed.evidence_group
LEFT JOIN listed AS listed_supervisor ON listed_supervisor.email_key = listed.supervisor_key
LEFT JOIN users AS known_supervisor
    ON known_supervisor.organization_id = listed.organization_id
    AND known_supervisor.email_key = listed.supervisor_key
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
