-- Runs with a status by their end: what failed lately, and what is running.
create index runs_status_ended_at_idx on runs (organization_id, status, completed_at, id);
