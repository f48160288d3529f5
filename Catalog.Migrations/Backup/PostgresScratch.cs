using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Dapper;

namespace Catalog.Migrations.Backup;

/// <summary>A new empty database on the same server as an existing database. It is dropped on disposal.</summary>
public sealed class PostgresScratch : IAsyncDisposable
{
    private const string Prefix = "catalog_drill_";
    private const string Time = "yyyyMMddHHmmss";
    private readonly MigrationDatabase _source;

    private PostgresScratch(MigrationDatabase source, string name, string uri) => (_source, Name, Uri) = (source, name, uri);

    public string Name { get; }

    /// <summary>The address with the password. Do not print it.</summary>
    public string Uri { get; }

    /// <summary>
    /// Creates a database with the encoding and collation of <paramref name="source"/>. Also drops the scratch
    /// databases that killed runs left behind: those that are older than an hour and have no connection.
    /// </summary>
    /// <param name="source">A database on the server; its role needs <c>createdb</c>.</param>
    /// <param name="now">The current time, for the name.</param>
    /// <param name="ct">Cancels the operation.</param>
    public static async Task<PostgresScratch> Create(MigrationDatabase source, DateTimeOffset now, CancellationToken ct)
    {
        const string ReadLocale = """
            -- PostgresScratch.Create
            select format('encoding %L lc_collate %L lc_ctype %L', pg_encoding_to_char(encoding), datcollate, datctype) from pg_database
                where datname = current_database()
            """;

        await using var connection = await source.Source.OpenConnectionAsync(ct);
        foreach (var leftover in await connection.QueryAsync<string>(
            new CommandDefinition("select datname from pg_database d where datname like 'catalog\\_drill\\_%' and not exists (select "
                + "from pg_stat_activity a where a.datid = d.oid)", cancellationToken: ct)))
        {
            if (leftover.Length > Prefix.Length + Time.Length
                && DateTime.TryParseExact(leftover.AsSpan(Prefix.Length, Time.Length), Time, CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var created)
                && created < now.UtcDateTime.AddHours(-1))
            {
                await source.Dialect.Execute(connection, null, $"drop database if exists {leftover}", ct);
            }
        }

        var name = $"{Prefix}{now.UtcDateTime.ToString(Time, CultureInfo.InvariantCulture)}_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}";
        var locale = await connection.ExecuteScalarAsync<string>(new CommandDefinition(ReadLocale, cancellationToken: ct));
        try
        {
            await source.Dialect.Execute(connection, null, $"create database {name} template template0 {locale}", ct);
        }
        catch (DbException exception) when (exception.SqlState == "42501")
        {
            var login = await connection.ExecuteScalarAsync<string>(
                new CommandDefinition("select quote_ident(current_user)", cancellationToken: ct));
            throw new MigrationException(MigrationFault.NotPermitted,
                $"{login} lacks the privilege to create the scratch database of the drill. Run `alter role {login} createdb;` as an "
                    + "administrator, or set DATAXPIPE_MIGRATIONS_DB to an address with a role that has createdb.",
                exception);
        }

        return new(source, name, LibpqEnvironment.Uri(source.Settings, connection, name));
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await using var connection = await _source.Source.OpenConnectionAsync(limit.Token);
        await _source.Dialect.Execute(connection, null, $"drop database if exists {Name} with (force)", limit.Token);
    }
}
