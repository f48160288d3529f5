-- transaction: none
drop index concurrently pipelines_scheduled_idx;
