-- Attempts of runs: runs holds the latest attempt, run_attempts the earlier ones (RunAttempts.cs).

create table run_attempts (
    organization_id   text    not null,
    run_id            text    not null,
    attempt           integer not null, -- counts from 1; numbers of clients may leave gaps
    status            text    not null,
    started_at        text,
    completed_at      text,
    records_processed integer,
    error_message     text,
    decided_at        text    not null default '{}',
    constraint run_attempts_pkey primary key (organization_id, run_id, attempt),
    constraint run_attempts_status_check check (status in ('pending', 'running', 'completed', 'failed', 'cancelled', 'skipped'))
);

alter table runs add column attempt integer not null default 1;

-- The report of an event whose body has another format; null when the body is the report.
alter table run_events add column report text;
