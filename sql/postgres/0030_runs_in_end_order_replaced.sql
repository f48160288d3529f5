-- transaction: none
-- Replaced by 0029.
drop index concurrently runs_ended_at_idx;
