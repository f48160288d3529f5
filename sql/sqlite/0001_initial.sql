-- Every table starts its key and its indexes with organization_id, so that isolation, row-level security and sharding by
-- organization follow from one rule. Times are ISO 8601 UTC text with six digits, which sorts as time does.

create table pipelines (
    organization_id text    not null,
    id              text    not null, -- the pipeline's name, as its owner writes it
    current_version text    not null,
    description     text,
    owner           text,
    environment     text,
    schedule        text,
    search_key      text    not null, -- name, description and owner, folded by PipelineRegistration; what ?q= looks in
    created_at      text    not null,
    updated_at      text    not null,
    deleted_at      text, -- hidden since; history stays until retention takes it
    constraint pipelines_pkey primary key (organization_id, id)
);

create index pipelines_created_at_idx on pipelines (organization_id, created_at, id) where deleted_at is null;

create table pipeline_tags (
    organization_id text not null,
    pipeline_id     text not null,
    tag             text not null,
    constraint pipeline_tags_pkey primary key (organization_id, pipeline_id, tag)
);

create index pipeline_tags_tag_idx on pipeline_tags (organization_id, tag, pipeline_id);

create table pipeline_versions (
    organization_id text    not null,
    pipeline_id     text    not null,
    version         text    not null,
    body            text    not null, -- as sent: text, because jsonb would reorder and round it
    body_hash       blob    not null, -- SHA-256 of the canonical JSON without "version"
    created_at      text    not null,
    constraint pipeline_versions_pkey primary key (organization_id, pipeline_id, version)
);

create index pipeline_versions_created_at_idx on pipeline_versions (organization_id, pipeline_id, created_at, version);

create table runs (
    organization_id   text    not null,
    id                text    not null,
    pipeline_id       text    not null,
    status            text    not null, -- what clients see: the reported status, or failed when the gate holds
    reported_status   text, -- what the events say; null while only a check result has named the run
    started_at        text, -- earliest of all events
    completed_at      text, -- latest of all events
    records_processed integer,
    error_message     text,
    trigger           text,
    external_url      text,
    metadata          text,
    decided_at        text    not null default '{}', -- for each field the time of the event that decided it, so that a late event cannot win
    check_gate        integer not null default 1 check (check_gate in (0, 1)), -- false once any event said so
    gate_check_id     text, -- the first failed check of severity error, by id
    created_at        text    not null,
    updated_at        text    not null,
    constraint runs_pkey primary key (organization_id, id),
    constraint runs_status_check check (status in ('pending', 'running', 'completed', 'failed', 'cancelled', 'skipped'))
);

create index runs_created_at_idx on runs (organization_id, created_at, id);
create index runs_pipeline_id_created_at_idx on runs (organization_id, pipeline_id, created_at, id);

create table run_events (
    organization_id text    not null,
    run_id          text    not null,
    digest          blob    not null, -- SHA-256 of the canonical event, so that a repeat is nothing
    body            text    not null, -- as received
    received_at     text    not null,
    constraint run_events_pkey primary key (organization_id, run_id, digest)
);

create table run_stages (
    organization_id   text    not null,
    run_id            text    not null,
    stage_name        text    not null,
    status            text    not null,
    started_at        text,
    completed_at      text,
    records_processed integer,
    error_message     text,
    decided_at        text    not null default '{}',
    constraint run_stages_pkey primary key (organization_id, run_id, stage_name),
    constraint run_stages_status_check check (status in ('pending', 'running', 'completed', 'failed', 'cancelled', 'skipped'))
);

create table checks (
    organization_id  text    not null,
    pipeline_id      text    not null, -- empty for a check that stands alone
    id               text    not null,
    pipeline_version text, -- the version that brought it; null when it was created by itself
    dataset          text,
    connection_id    text,
    kind             text,
    severity         text    not null,
    definition       text    not null, -- as sent
    created_at       text    not null,
    updated_at       text    not null,
    constraint checks_pkey primary key (organization_id, pipeline_id, id),
    constraint checks_severity_check check (severity in ('error', 'warn'))
);

create index checks_id_idx on checks (organization_id, id, pipeline_id);
create index checks_created_at_idx on checks (organization_id, created_at, id, pipeline_id);

create table check_results (
    organization_id  text not null,
    id               text not null,
    pipeline_id      text not null,
    check_id         text not null,
    run_id           text,
    status           text not null, -- pass, warn, fail, or error: it could not be evaluated
    severity         text not null,
    dataset          text,
    dataset_key      text, -- DatasetId of its shown id: what the index holds, because names may be long
    observed_value   text, -- any JSON value, as sent
    observed_number  real, -- the same when it is a finite number
    expected         text,
    failed_rows      integer,
    total_rows       integer,
    message          text,
    executed_at      text not null,
    duration_seconds real,
    metadata         text,
    request_hash     blob not null, -- SHA-256 of the canonical result, tells a repeat from another result
    created_at       text not null,
    constraint check_results_pkey primary key (organization_id, id),
    constraint check_results_status_check check (status in ('pass', 'warn', 'fail', 'error')),
    constraint check_results_severity_check check (severity in ('error', 'warn'))
);

create index check_results_executed_at_idx on check_results (organization_id, executed_at, id);
create index check_results_check_id_executed_at_idx on check_results (organization_id, pipeline_id, check_id, executed_at, id);
create index check_results_run_id_idx on check_results (organization_id, run_id, executed_at, id) where run_id is not null;
create index check_results_dataset_key_idx on check_results (organization_id, dataset_key, executed_at, id) where dataset_key is not null;
create index check_results_failed_idx on check_results (organization_id, pipeline_id, check_id) where status = 'fail';

create table connections (
    organization_id text    not null,
    id              text    not null,
    type            text    not null,
    config          text    not null, -- everything that may be shown
    secrets         blob, -- AES-GCM: what may not; null when the configuration holds none
    created_at      text    not null,
    updated_at      text    not null,
    constraint connections_pkey primary key (organization_id, id)
);

create index connections_created_at_idx on connections (organization_id, created_at, id);

create table datasets (
    organization_id text    not null,
    id              text    not null, -- first 128 bits of SHA-256 over namespace, a zero byte and name
    namespace       text    not null, -- empty for datasets of our own bodies
    name            text    not null,
    created_at      text    not null,
    constraint datasets_pkey primary key (organization_id, id)
);

create index datasets_created_at_idx on datasets (organization_id, created_at, id);

create table lineage_edges (
    organization_id text    not null,
    upstream        text    not null,
    downstream      text    not null,
    pipeline_id     text    not null,
    valid_from      text    not null,
    valid_to        text, -- null while it holds; the interval is half-open
    constraint lineage_edges_pkey primary key (organization_id, upstream, downstream, pipeline_id, valid_from)
);

create index lineage_edges_downstream_idx on lineage_edges (organization_id, downstream, upstream, pipeline_id, valid_from);
create index lineage_edges_pipeline_id_idx on lineage_edges (organization_id, pipeline_id) where valid_to is null;
