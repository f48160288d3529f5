-- Attempts of runs: runs holds the latest attempt, run_attempts the earlier ones (RunAttempts.cs).

create table run_attempts (
    organization_id   text        not null collate "C",
    run_id            text        not null collate "C",
    attempt           bigint      not null, -- counts from 1; numbers of clients may leave gaps
    status            text        not null collate "C",
    started_at        timestamptz,
    completed_at      timestamptz,
    records_processed bigint,
    error_message     text,
    decided_at        text        not null default '{}',
    constraint run_attempts_pkey primary key (organization_id, run_id, attempt),
    constraint run_attempts_status_check check (status in ('pending', 'running', 'completed', 'failed', 'cancelled', 'skipped'))
);

alter table run_attempts enable row level security;

create policy organization on run_attempts using (organization_id = nullif(current_setting('app.organization_id', true), ''));

alter table runs add column attempt bigint not null default 1;

-- The report of an event whose body has another format; null when the body is the report.
alter table run_events add column report text;
