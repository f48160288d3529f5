-- transaction: none
-- A pipeline's runs by their start, and the latest of them.
create index concurrently runs_pipeline_id_started_order_idx on runs (organization_id, pipeline_id, (case when started_at is null then created_at else started_at end), id);
