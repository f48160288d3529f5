-- Replaced by 0031.
drop index runs_pipeline_id_ended_at_idx;
