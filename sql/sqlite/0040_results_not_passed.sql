-- The failures of a check, without reading the results that passed.
create index check_results_not_passed_idx on check_results (organization_id, pipeline_id, check_id, executed_at, id) where status <> 'pass';
