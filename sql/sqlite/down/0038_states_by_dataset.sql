drop index check_states_dataset_idx;
