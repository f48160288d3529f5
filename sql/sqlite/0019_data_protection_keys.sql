-- The keys that protect cookies and forms of the pages, so that all replicas accept them. They belong to the deployment, and are
-- stored in the organization "default".

create table data_protection_keys (
    organization_id text not null,
    id              text not null,
    sealed          blob not null, -- the key's XML, encrypted by SecretBox
    created_at      text not null,
    constraint data_protection_keys_pkey primary key (organization_id, id)
);
