-- transaction: none
drop index concurrently runs_pipeline_id_ended_order_idx;
