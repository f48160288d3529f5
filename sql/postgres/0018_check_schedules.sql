-- The next tick of each check that has a schedule and a connection.

create table check_schedules (
    organization_id text   not null collate "C",
    pipeline_id     text   not null collate "C", -- empty for a standalone check
    check_id        text   not null collate "C",
    schedule        text   not null,             -- a cron expression
    time_zone       text   not null,             -- the id of an IANA time zone
    due_ms          bigint not null,             -- the next tick, Unix time in milliseconds
    constraint check_schedules_pkey primary key (organization_id, pipeline_id, check_id)
);

create index check_schedules_open_idx on check_schedules (organization_id, due_ms);
-- Looked up before an organization is known: by each replica, once a second.
create index check_schedules_due_ms_idx on check_schedules (due_ms);

alter table check_schedules enable row level security;

create policy organization on check_schedules using (organization_id = nullif(current_setting('app.organization_id', true), ''));

-- The look-up of due work, which comes before an organization is known, shows the rows that are due.
create policy due on check_schedules for select using (due_ms <= nullif(current_setting('app.due_ms', true), '')::bigint);
