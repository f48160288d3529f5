-- The log of events in the dialects of other tools. Pipelines, runs, check results, datasets and lineage of these events are a fold
-- of the log. Events of our own dialect are in run_events.

create table lineage_events (
    organization_id text        not null collate "C",
    dialect         text        not null collate "C", -- openlineage, dbt or otlp
    digest          bytea       not null,             -- SHA-256 of the canonical event, so that a repeat is nothing
    run_id          text        collate "C",          -- null for an event that names no run
    pipeline_id     text        collate "C",          -- null for an event that names no job
    event_time      timestamptz not null,             -- the time in the event; without one, its receipt
    body            text        not null,             -- as received, except that values of environment variables are removed
    received_at     timestamptz not null,
    constraint lineage_events_pkey primary key (organization_id, dialect, digest)
);

create index lineage_events_received_at_idx on lineage_events (organization_id, received_at, dialect, digest);

alter table lineage_events enable row level security;

create policy organization on lineage_events using (organization_id = nullif(current_setting('app.organization_id', true), ''));
