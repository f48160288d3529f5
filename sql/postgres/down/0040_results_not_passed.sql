-- transaction: none
drop index concurrently if exists check_results_not_passed_idx;
