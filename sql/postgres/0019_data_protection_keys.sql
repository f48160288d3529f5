-- The keys that protect cookies and forms of the pages, so that all replicas accept them. They belong to the deployment, and are
-- stored in the organization "default".

create table data_protection_keys (
    organization_id text        not null collate "C",
    id              text        not null collate "C",
    sealed          bytea       not null, -- the key's XML, encrypted by SecretBox
    created_at      timestamptz not null,
    constraint data_protection_keys_pkey primary key (organization_id, id)
);

alter table data_protection_keys enable row level security;

create policy organization on data_protection_keys using (organization_id = nullif(current_setting('app.organization_id', true), ''));
