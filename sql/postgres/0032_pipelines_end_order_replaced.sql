-- transaction: none
-- Replaced by 0031.
drop index concurrently runs_pipeline_id_ended_at_idx;
