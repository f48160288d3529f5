drop index check_results_run_idx;
