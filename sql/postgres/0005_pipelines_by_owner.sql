-- transaction: none
-- An owner's pipelines, page by page.
create index concurrently pipelines_owner_created_at_idx on pipelines (organization_id, owner, created_at, id) where deleted_at is null;
