-- transaction: none
-- Replaced by 0010.
drop index concurrently lineage_edges_pipeline_id_idx;
