-- transaction: none
-- Replaced by 0042.
drop index concurrently check_results_run_id_idx;
