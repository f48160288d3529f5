using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Catalog.Data.Organizations;
using Dapper;

namespace Catalog.Migrations.Retention;

/// <summary>
/// The audit entry of a removal for one kind of one organization. Every batch updates the entry, in the transaction of
/// the batch, with the number of rows removed so far. So the entry is correct even if the process is killed.
/// </summary>
internal sealed class RemovalAudit(string organization, RetentionKind kind, int keptDays, DateTimeOffset before)
{
    private readonly string _id = Guid.CreateVersion7().ToString();

    public Task Write(DbConnection connection, DbTransaction transaction, IReadOnlyList<TableRows> total, DateTimeOffset now,
        CancellationToken ct)
    {
        const string Sql = """
            -- RemovalAudit.Write
            insert into audit_log (organization_id, id, occurred_at, actor, action, object_type, object_id, detail)
            values (@organization, @id, @now, 'retention', @action, 'organization', @organization, @detail)
            on conflict (organization_id, id) do update
            set detail = excluded.detail
            """;

        var detail = new Dictionary<string, object>
        {
            ["before"] = before.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
            ["kept_days"] = keptDays
        };
        foreach (var table in total)
        {
            detail[table.Table] = table.Rows;
        }

        return connection.ExecuteAsync(new CommandDefinition(
            Sql, new
            {
                organization,
                id = _id,
                now,
                action = $"{JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString())}.removed",
                detail = JsonSerializer.Serialize(detail)
            }, transaction, cancellationToken: ct));
    }
}
