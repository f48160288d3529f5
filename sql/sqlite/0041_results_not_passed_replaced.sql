-- Replaced by 0040.
drop index check_results_failed_idx;
