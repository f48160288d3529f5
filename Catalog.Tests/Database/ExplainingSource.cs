using System.Data.Common;
using System.Text.Json;
using Dapper;
using Npgsql;

namespace Catalog.Tests.Database;

/// <summary>
/// Reports the plan of each executed statement, with its values. The server's module auto_explain sends it as a notice.
/// </summary>
internal sealed class ExplainingSource(NpgsqlDataSource source, Action<(string Query, JsonElement Plan)> report) : DbDataSource
{
    public override string ConnectionString => source.ConnectionString;

    protected override DbConnection CreateDbConnection() => throw new NotSupportedException("Open the connection.");

    protected override async ValueTask<DbConnection> OpenDbConnectionAsync(CancellationToken cancellationToken = default)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("""
            load 'auto_explain';
            set auto_explain.log_min_duration = 0; set auto_explain.log_format = json; set auto_explain.log_level = notice; set client_min_messages = notice; set plan_cache_mode = force_custom_plan;
            """);
        connection.Notice += (_, args) =>
        {
            var text = args.Notice.MessageText;
            if (text.Contains("plan:", StringComparison.Ordinal))
            {
                using var json = JsonDocument.Parse(text[text.IndexOf('{', StringComparison.Ordinal)..]);
                report((json.RootElement.GetProperty("Query Text").GetString()!, json.RootElement.GetProperty("Plan").Clone()));
            }
        };
        return connection;
    }
}
