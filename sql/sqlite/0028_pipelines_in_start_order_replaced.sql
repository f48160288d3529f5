-- Replaced by 0027.
drop index runs_pipeline_id_started_at_idx;
