-- transaction: none
create index concurrently runs_ended_at_idx on runs (organization_id, coalesce(completed_at, '9999-12-31T23:59:59.999999Z'), id);
