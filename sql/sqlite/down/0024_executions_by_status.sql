drop index executions_status_idx;
