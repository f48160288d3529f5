-- transaction: none
drop index concurrently checks_pipeline_id_created_at_idx;
