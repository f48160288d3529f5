-- Executions of checks. A row is also a job: the replica that executes it holds a lease.

create table executions (
    organization_id     text        not null collate "C",
    id                  text        not null collate "C",
    pipeline_id         text        collate "C",     -- null when the only check is standalone
    run_id              text        collate "C",     -- the run that the results belong to
    status              text        not null collate "C",
    scheduled_for       timestamptz,                 -- the tick of a schedule; null when a client asked for the execution
    requested_by        text        collate "C",     -- a key's public id or a token's subject; null for a schedule
    request_hash        bytea,                       -- SHA-256 of the request, to recognise a repeat
    error_message       text,
    owner               text        collate "C",     -- the claim that holds the lease
    attempts            bigint      not null default 0,
    due_ms              bigint,                      -- Unix time in milliseconds from which the job can be claimed: the end of the
                                                     -- lease while it is held; null when the execution has ended
    cancel_requested_at timestamptz,
    created_at          timestamptz not null,
    started_at          timestamptz,
    finished_at         timestamptz,
    constraint executions_pkey primary key (organization_id, id),
    constraint executions_status_check check (status in ('queued', 'running', 'completed', 'failed', 'cancelled'))
);

create index executions_created_at_idx on executions (organization_id, created_at, id);
create index executions_pipeline_id_idx on executions (organization_id, pipeline_id, created_at, id) where pipeline_id is not null;
create index executions_open_idx on executions (organization_id, due_ms, id) where due_ms is not null;
-- Looked up before an organization is known: by a replica that is free.
create index executions_due_ms_idx on executions (due_ms) where due_ms is not null;

create table execution_checks (
    organization_id  text             not null collate "C",
    execution_id     text             not null collate "C",
    place            bigint           not null,             -- from 0
    pipeline_id      text             not null collate "C", -- empty for a standalone check
    check_id         text             not null collate "C",
    severity         text             not null collate "C",
    status           text             collate "C",          -- pass, warn, fail, error; null until the check has an outcome
    message          text,
    result_id        text             collate "C",          -- null when no result was stored
    table_name       text,
    failed_rows      bigint,
    total_rows       bigint,
    duration_seconds double precision,
    finished_at      timestamptz,
    constraint execution_checks_pkey primary key (organization_id, execution_id, place),
    constraint execution_checks_status_check check (status in ('pass', 'warn', 'fail', 'error')),
    constraint execution_checks_severity_check check (severity in ('error', 'warn'))
);

create index execution_checks_check_id_idx on execution_checks (organization_id, check_id, execution_id);

alter table executions enable row level security;
alter table execution_checks enable row level security;

create policy organization on executions using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on execution_checks using (organization_id = nullif(current_setting('app.organization_id', true), ''));

-- The look-up of due work, which comes before an organization is known, shows the rows that are due.
create policy due on executions for select using (due_ms <= nullif(current_setting('app.due_ms', true), '')::bigint);
