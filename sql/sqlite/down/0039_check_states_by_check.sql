drop index check_states_check_id_idx;
