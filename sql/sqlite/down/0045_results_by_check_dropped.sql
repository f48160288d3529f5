create index check_results_check_id_in_any_pipeline_idx on check_results (organization_id, check_id, executed_at, id);
