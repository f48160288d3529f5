create index runs_pipeline_id_started_at_idx on runs (organization_id, pipeline_id, coalesce(started_at, created_at), id);
