create index lineage_edges_pipeline_id_idx on lineage_edges (organization_id, pipeline_id) where valid_to is null;
