-- The pipelines that have results of a check. The key of the states begins with the pipeline.
create index check_states_check_id_idx on check_states (organization_id, check_id, pipeline_id);
