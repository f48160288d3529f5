drop index runs_started_order_idx;
