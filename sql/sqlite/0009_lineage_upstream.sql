-- What a dataset hangs on now, read from the index alone, by who names a downstream.
create index lineage_edges_now_downstream_idx on lineage_edges (organization_id, downstream, upstream, pipeline_id, valid_from) where valid_to is null and downstream is not null;
