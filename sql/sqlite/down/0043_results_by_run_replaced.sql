create index check_results_run_id_idx on check_results (organization_id, run_id, executed_at, id) where run_id is not null;
