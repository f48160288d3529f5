-- transaction: none
drop index concurrently runs_started_order_idx;
