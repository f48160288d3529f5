-- transaction: none
drop index concurrently runs_pipeline_id_started_order_idx;
