-- transaction: none
-- A page of a pipeline is merged from the results of its checks, see 0039.
drop index concurrently check_results_pipeline_id_executed_at_idx;
