-- Pipelines that have a schedule, to find those that are overdue.
create index pipelines_scheduled_idx on pipelines (organization_id, id) where schedule is not null and deleted_at is null;
