-- transaction: none
-- Replaced by 0025.
drop index concurrently runs_started_at_idx;
