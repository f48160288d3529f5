-- transaction: none
-- Replaced by 0027.
drop index concurrently runs_pipeline_id_started_at_idx;
