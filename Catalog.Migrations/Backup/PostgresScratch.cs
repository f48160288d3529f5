using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Dapper;

namespace Catalog.Migrations.Backup;

/// <summary>An empty database on the server of another one, dropped when it is disposed of.</summary>
public sealed class PostgresScratch : IAsyncDisposable
{
    private const string Prefix = "catalog_drill_";
    private const string Time = "yyyyMMddHHmmss";
    private readonly MigrationDatabase _beside;

    private PostgresScratch(MigrationDatabase beside, string name, string uri) => (_beside, Name, Uri) = (beside, name, uri);

    public string Name { get; }

    /// <summary>Its address, with the password. Never to be printed.</summary>
    public string Uri { get; }

    /// <summary>Makes one, in the encoding and order of the other, and drops what killed runs have left for more than an hour and nobody uses.</summary>
    /// <param name="beside">A database on the server; its role needs <c>createdb</c>.</param>
    /// <param name="now">Becomes part of the name.</param>
    /// <param name="ct">Stops.</param>
    public static async Task<PostgresScratch> Make(MigrationDatabase beside, DateTimeOffset now, CancellationToken ct)
    {
        const string Like = """
            -- PostgresScratch.Make
            select format('encoding %L lc_collate %L lc_ctype %L', pg_encoding_to_char(encoding), datcollate, datctype) from pg_database where datname = current_database()
            """;

        await using var connection = await beside.Source.OpenConnectionAsync(ct);
        foreach (var left in await connection.QueryAsync<string>(new CommandDefinition("select datname from pg_database d where datname like 'catalog\\_drill\\_%' and not exists (select from pg_stat_activity a where a.datid = d.oid)", cancellationToken: ct)))
        {
            if (left.Length > Prefix.Length + Time.Length
                && DateTime.TryParseExact(left.AsSpan(Prefix.Length, Time.Length), Time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var made)
                && made < now.UtcDateTime.AddHours(-1))
            {
                await beside.Dialect.Execute(connection, null, $"drop database if exists {left}", ct);
            }
        }

        var name = $"{Prefix}{now.UtcDateTime.ToString(Time, CultureInfo.InvariantCulture)}_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}";
        var like = await connection.ExecuteScalarAsync<string>(new CommandDefinition(Like, cancellationToken: ct));
        try
        {
            await beside.Dialect.Execute(connection, null, $"create database {name} template template0 {like}", ct);
        }
        catch (DbException exception) when (exception.SqlState == "42501")
        {
            var login = await connection.ExecuteScalarAsync<string>(new CommandDefinition("select quote_ident(current_user)", cancellationToken: ct));
            throw new MigrationException(MigrationFault.NotPermitted,
                $"{login} may not create databases, and a drill needs a scratch one. As an administrator: `alter role {login} createdb;`, or set DATAXPIPE_MIGRATIONS_DB to an address of a role that may.",
                exception);
        }

        return new(beside, name, PostgresClientAddress.Uri(beside.Settings, connection, name));
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await using var connection = await _beside.Source.OpenConnectionAsync(limit.Token);
        await _beside.Dialect.Execute(connection, null, $"drop database if exists {Name} with (force)", limit.Token);
    }
}
