-- transaction: none
drop index concurrently pipelines_deleted_idx;
