-- transaction: none
-- What hangs on a dataset now, read from the index alone.
create index concurrently lineage_edges_now_upstream_idx on lineage_edges (organization_id, upstream, downstream, pipeline_id, valid_from) where valid_to is null;
