-- Replaced by 0029.
drop index runs_ended_at_idx;
