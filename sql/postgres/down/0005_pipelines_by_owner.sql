-- transaction: none
drop index concurrently pipelines_owner_created_at_idx;
