-- The edges that a pipeline declares now, by who names a pipeline: the index before it looked right for any question.
create index lineage_edges_now_pipeline_id_idx on lineage_edges (organization_id, pipeline_id) where valid_to is null and pipeline_id is not null;
