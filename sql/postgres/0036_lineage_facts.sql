-- What the events of other tools say about jobs, runs and datasets. Each row is a fold whose result does not depend on the order of
-- events: the first and the last time at which something was reported.

create table facets (
    organization_id text        not null collate "C",
    subject         text        not null collate "C", -- dataset, job or run
    subject_id      text        not null collate "C", -- the dataset's key, the pipeline's id or the run's id
    facet           text        not null collate "C",
    value_hash      bytea       not null,             -- SHA-256 of the value
    value           text        not null,             -- JSON; null (the word) after the facet was removed
    first_at        timestamptz not null,
    last_at         timestamptz not null,             -- the current value is the one with the greatest (last_at, value_hash)
    constraint facets_pkey primary key (organization_id, subject, subject_id, facet, value_hash)
);

-- Which runs exist in which tree, and which of them ended well with lineage: such a run ends the edges that it no longer reports.
create table lineage_runs (
    organization_id text        not null collate "C",
    run_id          text        not null collate "C",
    pipeline_id     text        not null collate "C",
    first_at        timestamptz not null,             -- the earliest event
    last_at         timestamptz not null,
    completed       boolean     not null,
    has_edges       boolean     not null,
    parent_run_id   text        collate "C",
    parent_job      text        collate "C",          -- the pipeline id of the parent's job
    root_run_id     text        collate "C",
    constraint lineage_runs_pkey primary key (organization_id, run_id)
);

create index lineage_runs_completed_idx on lineage_runs (organization_id, pipeline_id, first_at) where completed and has_edges;
create index lineage_runs_parent_run_id_idx on lineage_runs (organization_id, parent_run_id, first_at, run_id) where parent_run_id is not null;

-- What a run read and wrote.
create table run_datasets (
    organization_id text        not null collate "C",
    run_id          text        not null collate "C",
    direction       text        not null collate "C", -- input, output, or declared_output: not every input of the run leads to it
    dataset         uuid        not null,
    first_at        timestamptz not null,
    last_at         timestamptz not null,
    row_count       bigint,                           -- row_count, byte_count and file_count are those of the latest event that has one
    byte_count      bigint,
    file_count      bigint,
    measured_at     timestamptz,
    constraint run_datasets_pkey primary key (organization_id, run_id, direction, dataset),
    constraint run_datasets_direction_check check (direction in ('input', 'output', 'declared_output'))
);

create index run_datasets_dataset_idx on run_datasets (organization_id, dataset, direction, last_at, run_id);

create table column_edges (
    organization_id   text        not null collate "C",
    downstream        uuid        not null,
    downstream_column text        not null collate "C", -- empty: every column, such as the column of a filter
    upstream          uuid        not null,
    upstream_column   text        not null collate "C", -- empty: the whole dataset
    pipeline_id       text        not null collate "C", -- empty for an edge that no job reported
    transformation    text        not null,             -- a JSON array of type, subtype, description and masking
    first_at          timestamptz not null,
    last_at           timestamptz not null,
    constraint column_edges_pkey primary key (organization_id, downstream, downstream_column, upstream, upstream_column, pipeline_id)
);

create index column_edges_upstream_idx on column_edges (organization_id, upstream, upstream_column, downstream, downstream_column);

-- Other names of a dataset. The key of the alias is not used by any other table.
create table dataset_aliases (
    organization_id text        not null collate "C",
    alias           uuid        not null,
    namespace       text        not null collate "C",
    name            text        not null collate "C",
    dataset         uuid        not null,             -- the key under which everything is stored
    created_at      timestamptz not null,
    constraint dataset_aliases_pkey primary key (organization_id, alias)
);

create index dataset_aliases_dataset_idx on dataset_aliases (organization_id, dataset, alias);

-- Parts of events that were stored in the log and not understood.
create table unread_facets (
    organization_id text        not null collate "C",
    place           text        not null collate "C", -- event, run, job, dataset, input or output
    facet           text        not null collate "C",
    reason          text        not null collate "C", -- unknown, invalid, limit, plan_limit, deleted or run_id_taken
    events          bigint      not null,
    first_at        timestamptz not null,
    last_at         timestamptz not null,
    constraint unread_facets_pkey primary key (organization_id, place, facet, reason)
);

alter table lineage_edges add column last_at timestamptz; -- the last report of an edge that events report; null for edges of pipeline bodies

alter table facets enable row level security;
alter table lineage_runs enable row level security;
alter table run_datasets enable row level security;
alter table column_edges enable row level security;
alter table dataset_aliases enable row level security;
alter table unread_facets enable row level security;

create policy organization on facets using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on lineage_runs using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on run_datasets using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on column_edges using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on dataset_aliases using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on unread_facets using (organization_id = nullif(current_setting('app.organization_id', true), ''));
