-- Replaced by 0042.
drop index check_results_run_id_idx;
