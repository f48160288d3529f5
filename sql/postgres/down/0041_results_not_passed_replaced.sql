-- transaction: none
create index concurrently check_results_failed_idx on check_results (organization_id, pipeline_id, check_id) where status = 'fail';
