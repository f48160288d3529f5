drop index orders_state_idx;
