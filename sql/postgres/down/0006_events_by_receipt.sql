-- transaction: none
drop index concurrently run_events_received_at_idx;
