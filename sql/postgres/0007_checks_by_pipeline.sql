-- transaction: none
-- The checks of a pipeline, and those that stand alone, page by page.
create index concurrently checks_pipeline_id_created_at_idx on checks (organization_id, pipeline_id, created_at, id);
