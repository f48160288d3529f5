-- transaction: none
-- The results of a run are sorted after they are read, so their order need not be in the index.
create index concurrently check_results_run_idx on check_results (organization_id, run_id) where run_id is not null;
