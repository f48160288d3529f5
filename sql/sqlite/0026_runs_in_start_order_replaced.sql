-- Replaced by 0025.
drop index runs_started_at_idx;
