-- transaction: none
drop index concurrently if exists check_states_check_id_idx;
