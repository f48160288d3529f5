-- transaction: none
drop index concurrently check_results_check_id_in_any_pipeline_idx;
