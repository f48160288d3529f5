-- transaction: none
-- A page of a check in any pipeline is merged from the results of each pipeline, see 0039.
drop index concurrently check_results_check_id_in_any_pipeline_idx;
