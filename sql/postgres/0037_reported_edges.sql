-- transaction: none
-- The edges of a pipeline that events report, to end and reopen them.
create index concurrently lineage_edges_reported_idx on lineage_edges (organization_id, pipeline_id) where last_at is not null;
