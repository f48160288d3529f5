drop index pipelines_scheduled_idx;
