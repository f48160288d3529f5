-- Executions of checks. A row is also a job: the replica that executes it holds a lease.

create table executions (
    organization_id     text    not null,
    id                  text    not null,
    pipeline_id         text, -- null when the only check is standalone
    run_id              text, -- the run that the results belong to
    status              text    not null,
    scheduled_for       text, -- the tick of a schedule; null when a client asked for the execution
    requested_by        text, -- a key's public id or a token's subject; null for a schedule
    request_hash        blob, -- SHA-256 of the request, to recognise a repeat
    error_message       text,
    owner               text, -- the claim that holds the lease
    attempts            integer not null default 0,
    due_ms              integer, -- Unix time in milliseconds from which the job can be claimed: the end of the
                                 -- lease while it is held; null when the execution has ended
    cancel_requested_at text,
    created_at          text    not null,
    started_at          text,
    finished_at         text,
    constraint executions_pkey primary key (organization_id, id),
    constraint executions_status_check check (status in ('queued', 'running', 'completed', 'failed', 'cancelled'))
);

create index executions_created_at_idx on executions (organization_id, created_at, id);
create index executions_pipeline_id_idx on executions (organization_id, pipeline_id, created_at, id) where pipeline_id is not null;
create index executions_open_idx on executions (organization_id, due_ms, id) where due_ms is not null;
-- Looked up before an organization is known: by a replica that is free.
create index executions_due_ms_idx on executions (due_ms) where due_ms is not null;

create table execution_checks (
    organization_id  text    not null,
    execution_id     text    not null,
    place            integer not null, -- from 0
    pipeline_id      text    not null, -- empty for a standalone check
    check_id         text    not null,
    severity         text    not null,
    status           text,             -- pass, warn, fail, error; null until the check has an outcome
    message          text,
    result_id        text,             -- null when no result was stored
    table_name       text,
    failed_rows      integer,
    total_rows       integer,
    duration_seconds real,
    finished_at      text,
    constraint execution_checks_pkey primary key (organization_id, execution_id, place),
    constraint execution_checks_status_check check (status in ('pass', 'warn', 'fail', 'error')),
    constraint execution_checks_severity_check check (severity in ('error', 'warn'))
);

create index execution_checks_check_id_idx on execution_checks (organization_id, check_id, execution_id);
