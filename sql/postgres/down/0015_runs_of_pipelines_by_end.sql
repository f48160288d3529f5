-- transaction: none
drop index concurrently runs_pipeline_id_ended_at_idx;
