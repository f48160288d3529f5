-- Organizations, their keys, plans and billing, and who did what. The rows that are there belong to the organization "default", which
-- needs no row of its own: it is there before any other and has no ceilings.

create table organizations (
    organization_id        text    not null,
    name                   text    not null,
    plan                   text    not null,
    stripe_customer_id     text,
    stripe_subscription_id text,
    stripe_revision        integer not null default 0, -- counts what billing has changed, so that of two notices only one is applied to what it saw
    runs_kept_days         integer, -- null: as the operator's settings say; never more than they do
    results_kept_days      integer,
    events_kept_days       integer,
    created_at             text    not null,
    updated_at             text    not null,
    constraint organizations_pkey primary key (organization_id),
    constraint organizations_plan_check check (plan in ('self_hosted', 'free', 'team', 'business'))
);

-- Looked up before an organization is known: by a notice of Stripe.
create index organizations_stripe_customer_id_idx on organizations (stripe_customer_id) where stripe_customer_id is not null;

create table api_keys (
    organization_id text not null,
    id              text not null, -- the public part of the key, which may be logged
    name            text not null,
    secret_hash     blob not null, -- SHA-256 of the secret part
    scopes          text not null, -- with spaces between them
    created_at      text not null,
    created_by      text not null,
    expires_at      text,
    revoked_at      text,
    replaced_by     text, -- the key that a rotation made beside it
    last_used_at    text, -- to the minute
    constraint api_keys_pkey primary key (organization_id, id)
);

-- Looked up before an organization is known: by a request that brings the key.
create index api_keys_id_idx on api_keys (id);
create index api_keys_created_at_idx on api_keys (organization_id, created_at, id);

create table audit_log (
    organization_id text not null,
    id              text not null,
    occurred_at     text not null,
    actor           text not null, -- a key's public id, a token's subject, the operator, or stripe
    action          text not null, -- such as connection.deleted
    object_type     text not null,
    object_id       text not null,
    detail          text, -- a JSON object
    constraint audit_log_pkey primary key (organization_id, id)
);

create index audit_log_occurred_at_idx on audit_log (organization_id, occurred_at, id);

create table stripe_events (
    organization_id text not null,
    id              text not null,
    type            text not null,
    created_at      text not null,
    received_at     text not null,
    constraint stripe_events_pkey primary key (organization_id, id)
);

-- What is left of a minute's requests, merged here by all replicas each second.
create table request_rates (
    organization_id text   not null,
    tokens          real   not null,
    counted_ms      integer not null, -- Unix time in milliseconds: arithmetic that both engines do alike
    constraint request_rates_pkey primary key (organization_id)
);
