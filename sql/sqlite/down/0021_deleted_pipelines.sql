drop index pipelines_deleted_idx;
