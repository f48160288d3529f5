-- Executions with a status, newest first.
create index executions_status_idx on executions (organization_id, status, created_at, id);
