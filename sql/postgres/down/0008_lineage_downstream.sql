-- transaction: none
drop index concurrently lineage_edges_now_upstream_idx;
