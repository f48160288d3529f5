-- transaction: none
-- Runs by their start, page by page; one without a start stands at its arrival.
create index concurrently runs_started_at_idx on runs (organization_id, coalesce(started_at, created_at), id);
