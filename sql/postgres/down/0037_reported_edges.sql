-- transaction: none
drop index concurrently if exists lineage_edges_reported_idx;
