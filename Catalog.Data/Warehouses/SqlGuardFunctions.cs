namespace Catalog.Data.Warehouses;

/// <summary>
/// Functions that read or write files, open connections, run other SQL, hold locks, wait, or change the state of a
/// session or sequence. The names are compared in lower case, because most servers ignore case.
/// </summary>
internal static class SqlGuardFunctions
{
    private static readonly Dictionary<WarehouseSqlFamily, (HashSet<string> Names, string[] Prefixes)> Refused = new()
    {
        [WarehouseSqlFamily.Postgres] = (Words(
            "pg_stat_file pg_logdir_ls pg_current_logfile pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings loread lowrite "
            + "query_to_xml query_to_xmlschema query_to_xml_and_xmlschema table_to_xml table_to_xml_and_xmlschema schema_to_xml "
            + "schema_to_xml_and_xmlschema database_to_xml database_to_xml_and_xmlschema cursor_to_xml ts_stat ts_rewrite crosstab "
            + "connectby xpath_table pg_notify set_config pg_reload_conf pg_rotate_logfile pg_cancel_backend pg_terminate_backend nextval "
            + "setval pg_switch_wal pg_start_backup pg_stop_backup pg_promote pg_export_snapshot pg_prewarm autoprewarm_dump_now "
            + "pg_import_system_collations pg_log_backend_memory_contexts pg_log_standby_snapshot pg_logical_emit_message "
            + "pg_background_launch http http_get http_post http_put http_patch http_delete http_head http_set_curlopt "
            + "import_foreign_schema postgres_fdw_disconnect postgres_fdw_disconnect_all postgres_fdw_get_connections "
            + "table_import_from_s3 query_export_to_s3 brin_summarize_new_values brin_summarize_range brin_desummarize_range "
            + "gin_clean_pending_list"),
            ["pg_read_", "pg_ls_", "pg_file_", "lo_", "dblink", "pg_advisory_", "pg_try_advisory_", "pg_sleep", "pg_create_", "pg_drop_",
                "pg_replication_", "pg_logical_slot_", "pg_stat_reset", "pg_wal_", "pg_backup_", "pg_copy_", "pg_sync_", "pg_walfile_",
                "binary_upgrade_", "crosstab"]),
        [WarehouseSqlFamily.MySql] = (Words(
            "load_file sleep benchmark get_lock release_lock release_all_locks master_pos_wait source_pos_wait master_gtid_wait "
            + "wait_for_executed_gtid_set wait_until_sql_thread_after_gtids sys_exec sys_eval sys_get sys_set nextval setval lastval "
            + "name_const last_insert_id set_user_id asynchronous_connection_failover_add_source "
            + "asynchronous_connection_failover_delete_source keyring_key_fetch keyring_key_generate keyring_key_store "
            + "keyring_key_remove"),
            ["lib_mysqludf_", "service_get_", "service_release_", "group_replication_", "ps_thread_", "spider_", "wsrep_"]),
        [WarehouseSqlFamily.Sqlite] = (Words(
            "load_extension readfile writefile edit fts3_tokenizer lsdir fsdir lsmode zipfile sqlar_compress sqlar_uncompress eval "
            + "sqlite_dbpage sqlite_add_schema_column shell_add_schema shell_putsnl usleep sleep"),
            ["pragma_", "rtreecheck"]),
        [WarehouseSqlFamily.DuckDb] = (Words(
            "sniff_csv glob getenv query query_table from_substrait from_substrait_json get_substrait get_substrait_json "
            + "load_aws_credentials which_secret duckdb_secrets duckdb_settings duckdb_temporary_files duckdb_extensions "
            + "duckdb_external_file_cache duckdb_databases duckdb_logs current_setting force_checkpoint checkpoint nextval write_log "
            + "enable_logging disable_logging truncate_duckdb_logs set_config arrow_scan arrow_scan_dumb pandas_scan python_map_function "
            + "json_execute_serialized_sql json_serialize_plan sql_auto_complete delta_scan http_get http_post http_post_form st_read "
            + "st_read_meta st_readosm st_readshp st_drivers scan_arrow_ipc reload_parquet"),
            ["read_", "parquet_", "pragma_", "sqlite_", "postgres_", "mysql_", "iceberg_", "ducklake_", "load_", "copy_"]),
        [WarehouseSqlFamily.SqlServer] = (Words(
            "openrowset opendatasource openquery openxml fn_xe_file_target_read_file fn_trace_gettable fn_trace_getinfo fn_dblog "
            + "fn_dump_dblog fn_get_audit_file dm_os_file_exists dm_os_enumerate_filesystem fn_physloccracker"),
            ["xp_", "sp_"]),
        [WarehouseSqlFamily.ClickHouse] = (Words(
            "remote remotesecure executable executablepool input cluster clusterallreplicas mysql postgresql mongodb redis sqlite "
            + "jdbc odbc gcs sleep sleepeachrow catboostevaluate addresstoline addresstolinewithinlines addresstosymbol fuzzquery loop "
            + "ytsaurus arrowflight getmacro getserverport getserversetting getmergetreesetting kafka nats rabbitmq paimon meilisearch "
            + "modelevaluate"),
            ["url", "file", "s3", "hdfs", "azureblobstorage", "iceberg", "deltalake", "hudi", "paimon"]),
    };

    // ClickHouse has harmless functions whose names begin like those of functions that open addresses.
    private static readonly HashSet<string> HarmlessClickHouse = Words("urlhash urlhierarchy urlpathhierarchy");

    // These need no parentheses.
    private static readonly Dictionary<WarehouseSqlFamily, string[]> RefusedNames = new()
    {
        [WarehouseSqlFamily.Sqlite] = ["pragma_"],
        [WarehouseSqlFamily.DuckDb] = ["pragma_"],
        [WarehouseSqlFamily.SqlServer] = ["xp_"],
    };

    /// <summary>Whether a call of a function is refused.</summary>
    public static bool RefusesCall(string name, WarehouseSqlFamily family)
    {
        var (names, prefixes) = Refused[family];
        return names.Contains(name) || (Array.Exists(prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal))
            && !(family == WarehouseSqlFamily.ClickHouse && HarmlessClickHouse.Contains(name)));
    }

    /// <summary>Whether a name is refused wherever it stands, because it is a function that is used like a table.</summary>
    public static bool RefusesName(string name, WarehouseSqlFamily family) => RefusedNames.TryGetValue(family, out var prefixes)
        && Array.Exists(prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    private static HashSet<string> Words(string words) => [.. words.Split(' ')];
}
