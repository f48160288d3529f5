-- What hangs on a dataset now, read from the index alone. Null it never is: said so that only a question that names an upstream can take this index, also
-- while the server has not looked at the table and would take any.
create index lineage_edges_now_upstream_idx on lineage_edges (organization_id, upstream, downstream, pipeline_id, valid_from) where valid_to is null and upstream is not null;
