-- transaction: none
drop index concurrently runs_ended_at_idx;
