drop index runs_started_at_idx;
