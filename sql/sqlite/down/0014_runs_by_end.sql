drop index runs_ended_at_idx;
