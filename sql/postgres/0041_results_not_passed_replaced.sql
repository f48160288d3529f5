-- transaction: none
-- Replaced by 0040.
drop index concurrently check_results_failed_idx;
