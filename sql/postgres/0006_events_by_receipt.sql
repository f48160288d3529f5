-- transaction: none
-- The events of a run, page by page, of however many.
create index concurrently run_events_received_at_idx on run_events (organization_id, run_id, received_at, digest);
