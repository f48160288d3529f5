-- Sessions of the pages that were ended by signing out, until their cookies expire, so that all replicas refuse copies of these
-- cookies. An id is random and says nothing about the person; the rows are stored in the organization "default".

create table ended_sessions (
    organization_id text not null,
    expires_at      text not null,
    id              text not null,
    constraint ended_sessions_pkey primary key (organization_id, expires_at, id)
);
