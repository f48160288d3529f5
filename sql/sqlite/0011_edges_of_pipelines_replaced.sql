-- Replaced by 0010.
drop index lineage_edges_pipeline_id_idx;
