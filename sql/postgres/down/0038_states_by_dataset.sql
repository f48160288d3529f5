-- transaction: none
drop index concurrently if exists check_states_dataset_idx;
