-- transaction: none
drop index concurrently runs_started_at_idx;
