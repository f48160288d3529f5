-- transaction: none
drop index concurrently executions_status_idx;
