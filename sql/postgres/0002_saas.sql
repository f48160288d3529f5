-- Organizations, their keys, plans and billing, who did what, and row-level security on every table. The rows that are there belong to
-- the organization "default", which needs no row of its own: it is there before any other and has no ceilings.

create table organizations (
    organization_id        text        not null collate "C",
    name                   text        not null,
    plan                   text        not null collate "C",
    stripe_customer_id     text        collate "C",
    stripe_subscription_id text        collate "C",
    stripe_revision        bigint      not null default 0, -- counts what billing has changed, so that of two notices only one is applied to what it saw
    runs_kept_days         bigint,                         -- null: as the operator's settings say; never more than they do
    results_kept_days      bigint,
    events_kept_days       bigint,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    constraint organizations_pkey primary key (organization_id),
    constraint organizations_plan_check check (plan in ('self_hosted', 'free', 'team', 'business'))
);

-- Looked up before an organization is known: by a notice of Stripe.
create index organizations_stripe_customer_id_idx on organizations (stripe_customer_id) where stripe_customer_id is not null;

create table api_keys (
    organization_id text        not null collate "C",
    id              text        not null collate "C", -- the public part of the key, which may be logged
    name            text        not null,
    secret_hash     bytea       not null,             -- SHA-256 of the secret part
    scopes          text        not null collate "C", -- with spaces between them
    created_at      timestamptz not null,
    created_by      text        not null collate "C",
    expires_at      timestamptz,
    revoked_at      timestamptz,
    replaced_by     text        collate "C",          -- the key that a rotation made beside it
    last_used_at    timestamptz,                      -- to the minute
    constraint api_keys_pkey primary key (organization_id, id)
);

-- Looked up before an organization is known: by a request that brings the key.
create index api_keys_id_idx on api_keys (id);
create index api_keys_created_at_idx on api_keys (organization_id, created_at, id);

create table audit_log (
    organization_id text        not null collate "C",
    id              text        not null collate "C",
    occurred_at     timestamptz not null,
    actor           text        not null collate "C", -- a key's public id, a token's subject, the operator, or stripe
    action          text        not null collate "C", -- such as connection.deleted
    object_type     text        not null collate "C",
    object_id       text        not null collate "C",
    detail          text,                             -- a JSON object
    constraint audit_log_pkey primary key (organization_id, id)
);

create index audit_log_occurred_at_idx on audit_log (organization_id, occurred_at, id);

create table stripe_events (
    organization_id text        not null collate "C",
    id              text        not null collate "C",
    type            text        not null collate "C",
    created_at      timestamptz not null,
    received_at     timestamptz not null,
    constraint stripe_events_pkey primary key (organization_id, id)
);

-- What is left of a minute's requests, merged here by all replicas each second.
create table request_rates (
    organization_id text             not null collate "C",
    tokens          double precision not null,
    counted_ms      bigint           not null, -- Unix time in milliseconds: arithmetic that both engines do alike
    constraint request_rates_pkey primary key (organization_id)
);

-- No context means no rows. The owner is not bound, because it migrates, moves and backs up; the service's statements run as a role that is.
alter table pipelines enable row level security;
alter table pipeline_tags enable row level security;
alter table pipeline_versions enable row level security;
alter table runs enable row level security;
alter table run_events enable row level security;
alter table run_stages enable row level security;
alter table checks enable row level security;
alter table check_results enable row level security;
alter table connections enable row level security;
alter table datasets enable row level security;
alter table lineage_edges enable row level security;
alter table organizations enable row level security;
alter table api_keys enable row level security;
alter table audit_log enable row level security;
alter table stripe_events enable row level security;
alter table request_rates enable row level security;

create policy organization on pipelines using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on pipeline_tags using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on pipeline_versions using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on runs using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on run_events using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on run_stages using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on checks using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on check_results using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on connections using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on datasets using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on lineage_edges using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on organizations using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on api_keys using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on audit_log using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on stripe_events using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on request_rates using (organization_id = nullif(current_setting('app.organization_id', true), ''));

-- The two look-ups that come before an organization is known show the one row that they name.
create policy presented on api_keys for select using (id = nullif(current_setting('app.api_key_id', true), ''));
create policy notified on organizations for select using (stripe_customer_id = nullif(current_setting('app.stripe_customer_id', true), ''));
