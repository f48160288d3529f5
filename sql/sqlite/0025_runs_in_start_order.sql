-- Runs by their start. Under row-level security, Postgres searches an index with case, but none with coalesce.
create index runs_started_order_idx on runs (organization_id, (case when started_at is null then created_at else started_at end), id);
