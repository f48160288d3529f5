using System.Collections.Frozen;
using System.Text;
using Family = Catalog.Data.Warehouses.WarehouseSqlFamily;

namespace Catalog.Data.Warehouses;

/// <summary>
/// Functions and relations that a query must not use although a read-only transaction allows them. A <c>*</c> at the
/// beginning or the end of a name stands for any characters. A relation can have its schema and a dot before its name.
/// </summary>
internal static class ForbiddenSqlNames
{
    private const string Files = "reads or writes files, or other data that is not in a table";
    private const string Network = "connects to other servers or databases";
    private const string Waits = "makes the server wait or work for a long time";
    private const string Memory = "makes values of any size, which can use too much memory";
    private const string Locks = "takes or releases locks that outlive the query";
    private const string Session = "changes the session, the server or other sessions, or shows their state";
    private const string Sequences = "changes a sequence or depends on one";
    private const string Unchecked = "uses SQL or tables that the service cannot check";
    private const string Programs = "runs programs or procedures, or loads code";
    private const string Internals = "shows files, secrets or settings of the server, or other internal data";

    private static readonly FrozenDictionary<WarehouseSqlFamily, Group[]> Functions = new Dictionary<WarehouseSqlFamily, Group[]>
    {
        [Family.Postgres] =
        [
            new(Files, "pg_read_file* pg_read_binary_file* pg_ls_* pg_stat_file pg_file_* lo_* loread lowrite pg_current_logfile "
                + "pg_logdir_ls pg_show_all_file_settings"),
            new(Network, "dblink* postgres_fdw* http http_* xslt_process table_import_from_s3 query_export_to_s3* invoke"),
            new(Waits, "pg_sleep*"),
            new(Locks, "pg_advisory_* pg_try_advisory_*"),
            new(Session, "set_config pg_notify pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile* pg_logical_* "
                + "pg_create_* pg_drop_* pg_copy_* pg_replication_* pg_switch_wal pg_switch_xlog pg_start_backup pg_stop_backup "
                + "pg_backup_* pg_promote pg_wal_replay_* pg_xlog_replay_* pg_stat_reset* pg_stat_statements_reset "
                + "pg_stat_force_next_flush "
                + "pg_export_snapshot pg_import_system_collations pg_log_* pg_prewarm autoprewarm_* brin_summarize_* "
                + "brin_desummarize_range gin_clean_pending_list binary_upgrade_* pg_extension_config_dump pg_set_* pg_restore_* "
                + "pg_clear_* pg_sync_* pg_walfile_* pg_wal_summar* setseed"),
            new(Sequences, "nextval setval"),
            new(Unchecked, "query_to_xml* cursor_to_xml* table_to_xml* schema_to_xml* database_to_xml* ts_stat ts_rewrite crosstab* "
                + "connectby xpath_table pg_background_*"),
            new(Internals, "pg_stat_get_activity pg_stat_get_backend_* pg_stat_statements pg_show_all_settings"),
        ],
        [Family.MySql] =
        [
            new(Files, "load_file"),
            new(Network, "http_*"),
            new(Waits, "sleep benchmark master_pos_wait source_pos_wait master_gtid_wait wait_for_executed_gtid_set "
                + "wait_until_sql_thread_after_gtids"),
            new(Locks, "get_lock release_lock release_all_locks service_get_* service_release_*"),
            new(Session, "last_insert_id ps_thread_* wsrep_* spider_* group_replication_* "
                + "asynchronous_connection_failover_* audit_* keyring_* mysql_firewall_* version_tokens_* "
                + "set_firewall_mode mysqlx_* gen_blocklist gen_dictionary_load gen_dictionary_drop sys_set sys_get"),
            new(Sequences, "nextval setval lastval"),
            new(Programs, "analyse sys_exec sys_eval lib_mysqludf_*"),
        ],
        [Family.Sqlite] =
        [
            new(Files, "readfile writefile edit zipfile zipfile_cds fsdir lsdir lsmode sqlar_* csv csv_*"),
            new(Programs, "load_extension fts3_tokenizer"),
            new(Unchecked, "eval"),
            new(Waits, "sleep usleep"),
            new(Session, "sqlite_attach sqlite_detach sqlite_add_schema_column shell_* icu_load_collation"),
        ],
        [Family.DuckDb] =
        [
            new(Files, "read_* glob parquet_* sniff_csv *_scan *_scan_* iceberg_* delta_* ducklake_* lance_* st_read* st_drivers "
                + "copy_database scan_arrow_ipc reload_parquet"),
            new(Network, "http_* postgres_* mysql_* sqlite_* mssql_* snowflake_* bigquery_* odbc_* load_* airport_*"),
            new(Session, "checkpoint force_checkpoint enable_logging disable_logging truncate_duckdb_logs enable_profiling "
                + "disable_profiling write_log add_parquet_key set_config"),
            new(Sequences, "nextval setval"),
            // DuckDB runs in this process, and its memory limit does not apply to the results of these functions.
            new(Memory, "repeat lpad rpad range generate_series list_resize array_resize format printf"),
            new(Unchecked, "query query_table json_execute_serialized_sql json_serialize_plan *_substrait "
                + "*_substrait_json sql_auto_complete"),
            new(Programs, "python_map_function"),
            new(Internals, "getenv getvariable current_setting which_secret"),
        ],
        [Family.ClickHouse] =
        [
            new(Files, "file filecluster filesystem input sqlite"),
            new(Network, "url urlcluster remote remotesecure cluster clusterallreplicas s3* gcs* oss* cosn* hdfs* azureblobstorage* "
                + "mysql postgresql mongodb redis jdbc odbc hive deltalake* iceberg* hudi* paimon* ytsaurus "
                + "arrowflight kafka nats rabbitmq meilisearch"),
            new(Waits, "sleep*"),
            new(Programs, "executable* catboostevaluate modelevaluate"),
            new(Unchecked, "fuzzquery loop"),
            new(Session, "generateserialid trap"),
            new(Internals, "addresstoline* addresstosymbol getmacro getserverport getserversetting getmergetreesetting"),
        ],
    }.ToFrozenDictionary();

    // A relation, unlike a function, has no parentheses after its name. System relations that describe tables are
    // allowed, because checks of metadata use them. Relations that show passwords, statements of other sessions or
    // settings are rejected. A name that depends on the default schema, such as user in the MySQL database mysql, is
    // not recognized; only the rights of the login protect it.
    private static readonly FrozenDictionary<WarehouseSqlFamily, Group> Relations = new Dictionary<WarehouseSqlFamily, Group>
    {
        [Family.Postgres] = new(Internals, "pg_authid pg_shadow pg_user_mapping pg_user_mappings pg_largeobject pg_hba_file_rules "
            + "pg_ident_file_mappings pg_file_settings pg_stat_activity pg_stat_statements pg_stat_replication pg_stat_ssl "
            + "pg_stat_gssapi pg_stat_subscription pg_stat_wal_receiver pg_subscription pg_foreign_server pg_prepared_statements "
            + "pg_cursors pg_statistic pg_statistic_ext_data pg_db_role_setting pg_replication_slots pg_config pg_stat_monitor"),
        [Family.MySql] = new(Internals, "mysql.* performance_schema.* sys.* information_schema.processlist "
            + "information_schema.innodb_trx information_schema.user_attributes information_schema.user_privileges "
            + "information_schema.global_variables information_schema.session_variables"),
        [Family.Sqlite] = new(Internals, "pragma_* sqlite_dbpage sqlite_dbdata sqlite_dbptr sqlite_stmt", except: "pragma_table_info"),
        [Family.DuckDb] = new(Internals, "pragma_* duckdb_secrets duckdb_settings duckdb_variables duckdb_logs* duckdb_databases "
            + "duckdb_extensions duckdb_external_* duckdb_temporary_files", except: "pragma_table_info"),
        // New versions of ClickHouse add logs of statements, so only known harmless relations are allowed.
        [Family.ClickHouse] = new(Internals, "system.*", except: "system.one system.numbers system.numbers_mt system.zeros system.zeros_mt "
            + "system.databases system.tables system.columns system.parts system.parts_columns system.data_skipping_indices "
            + "system.projections system.mutations system.merges system.replicas system.functions system.data_type_families "
            + "system.table_engines system.time_zones"),
    }.ToFrozenDictionary();

    /// <summary>Checks the part of an SQL text at an index, if it is the name of a function or a relation.</summary>
    /// <returns>The reason why it is rejected; null when it is allowed.</returns>
    public static string? Refuse(IReadOnlyList<SqlToken> tokens, int at, WarehouseSqlFamily family)
    {
        var token = tokens[at];

        // SQLite reads a text as a name where a table is expected.
        if (!token.IsName && !(token.Kind == SqlTokenKind.String && family == Family.Sqlite))
        {
            return null;
        }

        var (name, owner) = (SqlCharacter.Folded(token.Text), at > 1 && tokens[at - 1].IsSymbol('.') ? tokens[at - 2] : default);
        var owned = owner.IsName ? $"{SqlCharacter.Folded(owner.Text)}.{name}" : name;
        if (Relations[family].Has(name, owned))
        {
            return $"{Shown(owned)} is not allowed, because it {Relations[family].Reason}. Remove it.";
        }

        if (at + 1 == tokens.Count || !tokens[at + 1].IsSymbol('('))
        {
            return null;
        }

        // Collations of some servers read other letters as ASCII letters, and the lists would not find such a name.
        if (!Ascii.IsValid(token.Text))
        {
            return "A name before a parenthesis has letters other than a to z, and it can be the name of a function. Rename it, so that "
                + "it has only ASCII letters.";
        }

        var group = Array.Find(Functions[family], group => group.Has(name, owned));
        return group is null ? null : $"The function {token.Text} is not allowed, because it {group.Reason}. Remove it.";
    }

    private static string Shown(string name) => name.Length > 60 ? "A name of a system schema" : name;

    private sealed class Group(string reason, string names, string except = "")
    {
        private static readonly StringComparison Ignore = StringComparison.OrdinalIgnoreCase;

        private readonly FrozenSet<string> _whole =
            names.Split(' ').Where(name => !name.Contains('*')).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

        private readonly (string Part, bool Starts, bool Ends)[] _parts =
            [.. names.Split(' ').Where(name => name.Contains('*')).Select(name => (name.Trim('*'), name[0] != '*', name[^1] != '*'))];

        private readonly FrozenSet<string> _except = except.Split(' ').ToFrozenSet(StringComparer.OrdinalIgnoreCase);

        public string Reason { get; } = reason;

        /// <param name="name">The name alone.</param>
        /// <param name="owned">
        /// The name with its owner and a dot before it; the same as the name if it has no owner.
        /// </param>
        public bool Has(string name, string owned) => !_except.Contains(name) && !_except.Contains(owned)
            && (_whole.Contains(name) || _whole.Contains(owned)
                || Array.Exists(_parts, part => Matches(part, name) || Matches(part, owned)));

        private static bool Matches((string Part, bool Starts, bool Ends) pattern, string name) => (pattern.Starts, pattern.Ends) switch
        {
            (true, _) => name.StartsWith(pattern.Part, Ignore),
            (_, true) => name.EndsWith(pattern.Part, Ignore),
            _ => name.Contains(pattern.Part, Ignore),
        };
    }
}
