drop index runs_ended_order_idx;
