-- The next tick of each check that has a schedule and a connection.

create table check_schedules (
    organization_id text    not null,
    pipeline_id     text    not null, -- empty for a standalone check
    check_id        text    not null,
    schedule        text    not null, -- a cron expression
    time_zone       text    not null, -- the id of an IANA time zone
    due_ms          integer not null, -- the next tick, Unix time in milliseconds
    constraint check_schedules_pkey primary key (organization_id, pipeline_id, check_id)
);

create index check_schedules_open_idx on check_schedules (organization_id, due_ms);
-- Looked up before an organization is known: by each replica, once a second.
create index check_schedules_due_ms_idx on check_schedules (due_ms);
