-- transaction: none
drop index concurrently orders_state_idx;
