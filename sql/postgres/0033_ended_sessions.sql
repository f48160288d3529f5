-- Sessions of the pages that were ended by signing out, until their cookies expire, so that all replicas refuse copies of these
-- cookies. An id is random and says nothing about the person; the rows are stored in the organization "default".

create table ended_sessions (
    organization_id text        not null collate "C",
    expires_at      timestamptz not null,
    id              text        not null collate "C",
    constraint ended_sessions_pkey primary key (organization_id, expires_at, id)
);

alter table ended_sessions enable row level security;

create policy organization on ended_sessions using (organization_id = nullif(current_setting('app.organization_id', true), ''));
