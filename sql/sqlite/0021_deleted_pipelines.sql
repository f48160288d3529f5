-- Deleted pipelines, page by page.
create index pipelines_deleted_idx on pipelines (organization_id, created_at, id) where deleted_at is not null;
