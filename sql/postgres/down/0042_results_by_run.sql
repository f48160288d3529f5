-- transaction: none
drop index concurrently if exists check_results_run_idx;
