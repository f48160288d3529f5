create index check_results_pipeline_id_executed_at_idx on check_results (organization_id, pipeline_id, executed_at, id);
