-- transaction: none
drop index concurrently lineage_edges_now_pipeline_id_idx;
