alter table facets alter column value set compression default;
alter table lineage_events alter column body set compression default;
