-- The latest results of a dataset's checks. An index row of Postgres has at most 2,704 bytes, so that longer names are left out.
create index check_states_dataset_idx on check_states (organization_id, dataset) where length(dataset) < 501;
