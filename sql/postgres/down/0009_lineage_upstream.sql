-- transaction: none
drop index concurrently lineage_edges_now_downstream_idx;
