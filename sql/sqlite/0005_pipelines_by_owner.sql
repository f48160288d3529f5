-- An owner's pipelines, page by page.
create index pipelines_owner_created_at_idx on pipelines (organization_id, owner, created_at, id) where deleted_at is null;
