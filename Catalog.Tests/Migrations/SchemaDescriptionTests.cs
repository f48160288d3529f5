using System.Text.RegularExpressions;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;

namespace Catalog.Tests.Migrations;

/// <summary>The scripts create the committed schema descriptions, and both engines have the same schema.</summary>
public sealed partial class SchemaDescriptionTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>, IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-fingerprints-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_revision_has_the_committed_fingerprint()
    {
        foreach (var address in await Addresses())
        {
            await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
            var chain = Chain.BuiltIn(database.Dialect.Folder);
            var migrator = new Migrator(database, chain, TimeProvider.System);
            foreach (var script in chain.Scripts)
            {
                await migrator.Upgrade(script.Revision, again: false, Ct);
                var live = await migrator.Describe(Ct);
                var file = Path.Combine(ConventionTests.Root, "sql", database.Dialect.Folder, "fingerprint", script.Revision + ".txt");

                Assert.True(File.Exists(file), $"Write it with `catalog-migrations verify --print > {file}`.");
                Assert.Equal(File.ReadAllText(file), string.Join('\n', live) + '\n');
                Assert.Equal(script.Fingerprint, File.ReadAllText(file));
            }
        }
    }

    [Fact]
    public async Task Both_engines_agree_on_tables_columns_nullability_keys_checks_and_indexes()
    {
        using var folder = new TestChain();
        foreach (var scripts in new[] { null, folder })
        {
            var schemas = new List<string[]>();
            foreach (var address in await Addresses())
            {
                await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
                var migrator = new Migrator(database, scripts is null
                    ? Chain.BuiltIn(database.Dialect.Folder) : Chain.From(scripts.Path, database.Dialect.Folder), TimeProvider.System);
                await migrator.Upgrade(Chain.Head, again: false, Ct);
                schemas.Add([.. (await migrator.Describe(Ct)).Select(Common).OfType<string>().Order(StringComparer.Ordinal)]);
            }

            Assert.True(schemas[0].Length > 10);
            Assert.Equal(schemas[0], schemas[1]);
        }
    }

    [Theory]
    [InlineData("alter table runs add column surprise text", "unexpected: column runs.surprise text")]
    [InlineData("drop index runs_created_at_idx", "missing: index runs.runs_created_at_idx")]
    [InlineData("create table another (id integer)", "unexpected: table another")]
    [InlineData("create view seen as select id from runs", "unexpected: view seen")]
    public async Task Schema_drift_is_reported(string change, string difference)
    {
        foreach (var address in await Addresses())
        {
            await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
            var chain = Chain.BuiltIn(database.Dialect.Folder);
            var migrator = new Migrator(database, chain, TimeProvider.System);
            await migrator.Upgrade(Chain.Head, again: false, Ct);
            Assert.Empty(SchemaDescription.Compare(chain.Scripts[^1].Fingerprint!, await migrator.Describe(Ct)));

            await using (var connection = await database.Source.OpenConnectionAsync(Ct))
            {
                await database.Dialect.Execute(connection, null, change, Ct);
            }

            Assert.Contains(SchemaDescription.Compare(chain.Scripts[^1].Fingerprint!, await migrator.Describe(Ct)), line =>
                line.StartsWith(difference, StringComparison.Ordinal));
        }
    }

    // Translates a line into the form that both engines share. Null: only one engine has such a line.
    private static string? Common(string line)
    {
        if (line.StartsWith("column ", StringComparison.Ordinal))
        {
            var parts = line.Split(' ', 3);
            var type = Types.First(pair => parts[2].StartsWith(pair.Name, StringComparison.Ordinal)).Kind;
            return $"column {parts[1]} "
                + $"{type}{(parts[2].Contains("not null", StringComparison.Ordinal) ? " not null" : "")}{(parts[2].Contains(" default ", StringComparison.Ordinal) ? " default" : "")}";
        }

        if (PrimaryKey().Match(line) is { Success: true } key)
        {
            return $"primary key {key.Groups["table"].Value} ({key.Groups["columns"].Value})";
        }

        if (ForeignKey().Match(line) is { Success: true } reference)
        {
            return $"foreign key {reference.Groups["table"].Value} ({reference.Groups["columns"].Value}) "
                + $"{reference.Groups["target"].Value}";
        }

        if (line.StartsWith("constraint ", StringComparison.Ordinal) && line.Contains("check", StringComparison.OrdinalIgnoreCase))
        {
            // Compare only name, words and numbers: SQLite keeps the original text, and Postgres rewrites it.
            return string.Join(' ', line.Split(' ').Take(2).Concat(Values().Matches(line).Select(match => match.Value)));
        }

        if (line.StartsWith("table ", StringComparison.Ordinal))
        {
            return string.Join(' ', line.Split(' ').Take(2));
        }

        return line.StartsWith("index ", StringComparison.Ordinal) || line.StartsWith("constraint ", StringComparison.Ordinal)
            ? Casts().Replace(line, "").Replace(" USING btree", "", StringComparison.Ordinal)
                .Replace("WHERE (", "where (", StringComparison.Ordinal).Replace("UNIQUE", "unique", StringComparison.Ordinal)
                .Replace(" IS NULL", " is null", StringComparison.Ordinal).Replace(" IS NOT NULL", " is not null", StringComparison.Ordinal)
                .Replace(" AND ", " and ", StringComparison.Ordinal).Replace("< >", "<>", StringComparison.Ordinal)
                .Replace("COALESCE(", "coalesce (", StringComparison.Ordinal)
                .Replace("length(", "length (", StringComparison.Ordinal)
                .Replace("( CASE", "(CASE", StringComparison.Ordinal) is var words
            && Case().Replace(Instants().Replace(words, "${day}T${time}Z"), match => string.Join(' ', Words().Matches(match.Value)
                .Select(word => word.Value.ToLowerInvariant()))) is var text
                ? Where().Replace(text, match =>
                    match.Value.Replace("(", "", StringComparison.Ordinal).Replace(")", "", StringComparison.Ordinal))
                : null
            : null;
    }

    private static readonly (string Name, string Kind)[] Types =
    [
        ("timestamp with time zone", "text"), ("text", "text"), ("uuid", "text"), ("jsonb", "text"), ("bigint", "integer"),
        ("integer", "integer"),
        ("boolean", "integer"), ("double precision", "real"), ("real", "real"), ("bytea", "blob"), ("blob", "blob"),
    ];

    private async Task<string[]> Addresses()
    {
        server.Require();
        return [await PostgresTestDatabase.Empty("catalog_empty"), Path.Combine(_directory, $"{Guid.NewGuid():N}.db")];
    }

    [GeneratedRegex(@"^(constraint (?<table>\w+)\.\w+ PRIMARY KEY|primary key (?<table>\w+)) \((?<columns>[^)]*)\)$")]
    private static partial Regex PrimaryKey();

    [GeneratedRegex(
        @"^(constraint (?<table>\w+)\.\w+ FOREIGN KEY|foreign key (?<table>\w+) [0-9.]+) \((?<columns>\w+)\) (REFERENCES|references) (?<target>\w+)")]
    private static partial Regex ForeignKey();

    [GeneratedRegex("'[^']*'|\\b[0-9]+\\b")]
    private static partial Regex Values();

    [GeneratedRegex("::[a-z ]+")]
    private static partial Regex Casts();

    [GeneratedRegex(@"(?<day>\d{4}-\d\d-\d\d) (?<time>[\d:.]+)\+00")]
    private static partial Regex Instants();

    [GeneratedRegex(@"\(case .*? end\)", RegexOptions.IgnoreCase)]
    private static partial Regex Case();

    [GeneratedRegex(@"'[^']*'|\w+")]
    private static partial Regex Words();

    [GeneratedRegex("where .*$")]
    private static partial Regex Where();

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
