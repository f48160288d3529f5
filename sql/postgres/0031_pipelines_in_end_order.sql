-- transaction: none
-- A pipeline's runs by their end.
create index concurrently runs_pipeline_id_ended_order_idx on runs (organization_id, pipeline_id, (case when completed_at is null then '9999-12-31T23:59:59.999999Z' else completed_at end), id);
