-- transaction: none
drop index concurrently runs_status_ended_at_idx;
