-- transaction: none
drop index concurrently runs_ended_order_idx;
