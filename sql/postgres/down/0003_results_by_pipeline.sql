-- transaction: none
drop index concurrently check_results_pipeline_id_executed_at_idx;
