drop policy organization on lineage_edges;
drop policy organization on datasets;
drop policy organization on connections;
drop policy organization on check_results;
drop policy organization on checks;
drop policy organization on run_stages;
drop policy organization on run_events;
drop policy organization on runs;
drop policy organization on pipeline_versions;
drop policy organization on pipeline_tags;
drop policy organization on pipelines;

alter table lineage_edges disable row level security;
alter table datasets disable row level security;
alter table connections disable row level security;
alter table check_results disable row level security;
alter table checks disable row level security;
alter table run_stages disable row level security;
alter table run_events disable row level security;
alter table runs disable row level security;
alter table pipeline_versions disable row level security;
alter table pipeline_tags disable row level security;
alter table pipelines disable row level security;

drop table request_rates;
drop table stripe_events;
drop table audit_log;
drop table api_keys;
drop table organizations;
