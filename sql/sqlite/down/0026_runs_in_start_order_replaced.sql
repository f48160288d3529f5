create index runs_started_at_idx on runs (organization_id, coalesce(started_at, created_at), id);
