drop index runs_status_ended_at_idx;
