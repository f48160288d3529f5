alter table lineage_edges drop column last_at;
drop table unread_facets;
drop table dataset_aliases;
drop table column_edges;
drop table run_datasets;
drop table lineage_runs;
drop table facets;
