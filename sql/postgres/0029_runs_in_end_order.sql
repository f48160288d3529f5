-- transaction: none
-- Runs by their end; one without an end stands after every end.
create index concurrently runs_ended_order_idx on runs (organization_id, (case when completed_at is null then '9999-12-31T23:59:59.999999Z' else completed_at end), id);
