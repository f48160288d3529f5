using System.Text;
using System.Text.RegularExpressions;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Catalog.Data.Settings;
using Catalog.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests;

/// <summary>Rules of the code base that the compiler does not check.</summary>
[Trait("Category", "Fast")]
public sealed partial class ConventionTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>
{
    internal static readonly string Root = FindRoot();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Grants_and_row_security_cover_exactly_the_tables_of_the_scripts()
    {
        Assert.Equal(
            SchemaDescription.Tables(Chain.BuiltIn("postgres")).Order(StringComparer.Ordinal),
            PostgresGrants.TableNames.Split(',', StringSplitOptions.TrimEntries).Select(name => name.Trim('\''))
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Each_script_exists_for_both_engines_with_a_down_script_and_without_gaps_in_numbers()
    {
        string[] Names(string folder) =>
            [.. Directory.GetFiles(Path.Combine(Root, "sql", folder), "*.sql").Select(Path.GetFileName).Order(StringComparer.Ordinal)!];

        var postgres = Names("postgres");
        Assert.NotEmpty(postgres);
        Assert.All(new[] { "sqlite", "postgres/down", "sqlite/down" }, folder => Assert.Equal(postgres, Names(folder)));
        Assert.Equal(Enumerable.Range(1, postgres.Length).Select(number => $"{number:0000}_"), postgres.Select(name => name[..5]));
        Assert.Equal(postgres, Chain.BuiltIn("postgres").Scripts.Select(script => script.Name));
        Assert.Equal(postgres, Chain.BuiltIn("sqlite").Scripts.Select(script => script.Name));
    }

    [Fact]
    public void Scripts_are_plain_text_and_build_concurrently_only_outside_a_transaction()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(Root, "sql"), "*.sql", SearchOption.AllDirectories))
        {
            var text = File.ReadAllText(file);
            Assert.Equal(text, Encoding.UTF8.GetString(File.ReadAllBytes(file)));
            Assert.DoesNotContain('\r', text);
            Assert.False(text.StartsWith('\uFEFF'), $"{file} begins with a byte order mark.");
            Assert.Matches(@"^\d{4}_[a-z0-9_]+\.sql$", Path.GetFileName(file));
        }

        Assert.All(
            Chain.BuiltIn("postgres").Scripts.SelectMany(script => new[] { script.Up, script.Down! }),
            file => Assert.True(file.Transactional != file.Sql.Contains("concurrently", StringComparison.OrdinalIgnoreCase),
                $"{file.Name} needs or must not have `-- transaction: none`."));
        Assert.All(Chain.BuiltIn("sqlite").Scripts, script => Assert.True(script.Up.Transactional && script.Down!.Transactional));
    }

    [Fact]
    public void Every_table_and_index_starts_with_the_organization()
    {
        // Catalog.Data.Database.LookUp reads by these columns before the organization is known, so these indexes begin
        // with them.
        string[] lookUps = ["due_ms", "due_ms", "id", "stripe_customer_id"];
        var sql = string.Concat(Chain.BuiltIn("postgres").Scripts.Select(script => script.Up.Sql));
        var indexes = KeysAndIndexes().Matches(sql).ToList();

        Assert.True(indexes.Count > 12);
        Assert.All(indexes.Select(index => index.Groups["columns"].Value).Except(lookUps), columns =>
            Assert.StartsWith("organization_id", columns));
        Assert.Equal(lookUps, indexes.Select(index => index.Groups["columns"].Value)
            .Where(columns => !columns.StartsWith("organization_id", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public void Drivers_are_named_in_their_folders_and_in_files_of_one_engine() =>
        AssertNowhere(file => !DriverFiles().IsMatch(file), Drivers());

    // Setting removes line ends and quotes from values. Code that reads settings elsewhere would forget this.
    [Fact]
    public void Settings_are_read_in_one_place() => AssertNowhere(
        file => !file.StartsWith("Catalog.Tests/", StringComparison.Ordinal) && !file.StartsWith("bench/", StringComparison.Ordinal)
            && !file.EndsWith("/Setting.cs", StringComparison.Ordinal),
        ReadSettings());

    [Fact]
    public void Settings_are_known_and_documented()
    {
        var read = Sources().Where(file => !file.StartsWith("Catalog.Tests/", StringComparison.Ordinal)
            && !file.EndsWith("/KnownSettings.cs", StringComparison.Ordinal))
            .SelectMany(file => SettingNames().Matches(File.ReadAllText(Path.Combine(Root, file))).Select(match => match.Value)).Distinct()
            .Order(StringComparer.Ordinal);
        var documented = SettingNames().Matches(File.ReadAllText(Path.Combine(Root, "docs", "settings.md")))
            .Select(match => match.Value).Distinct().Order(StringComparer.Ordinal);

        Assert.Equal(KnownSettings.Names.Order(StringComparer.Ordinal), read);
        Assert.Equal(KnownSettings.Names.Order(StringComparer.Ordinal), documented);
    }

    [Fact]
    public void Every_option_that_console_texts_name_exists()
    {
        // Options of dotnet and docker, and the demo of the service. The files that call the Postgres programs are left out below.
        string[] others = ["--urls", "--hostBuilder", "--env-file", "--demo"];
        var sources = Sources().Where(file => !file.StartsWith("Catalog.Tests/", StringComparison.Ordinal)
            && !file.StartsWith("bench/", StringComparison.Ordinal) && !file.StartsWith("deploy/", StringComparison.Ordinal)
            && !file.EndsWith("/PostgresPrograms.cs", StringComparison.Ordinal)
            && !file.EndsWith("/PostgresArchive.cs", StringComparison.Ordinal)
            && !file.EndsWith("/PostgresRestore.cs", StringComparison.Ordinal))
            .Select(file => Comments().Replace(File.ReadAllText(Path.Combine(Root, file)), "")).ToList();
        var defined = sources.SelectMany(text => DefinedOptions().Matches(text).Select(match => match.Groups["name"].Value))
            .Concat(["--help", "--keep"]).ToHashSet(StringComparer.Ordinal);

        Assert.True(defined.Count > 30);
        Assert.Empty(sources.SelectMany(text => NamedOptions().Matches(text).Select(match => match.Value)).Except(defined).Except(others));
    }

    [Fact]
    public void The_API_contains_no_SQL() => AssertNowhere(file => file.StartsWith("Catalog.Api/", StringComparison.Ordinal), Sql());

    [Fact]
    public void The_data_layer_does_not_use_HTTP() =>
        AssertNowhere(file => file.StartsWith("Catalog.Data/", StringComparison.Ordinal), Http());

    [Fact]
    public void No_folder_has_a_catch_all_name() =>
        Assert.DoesNotContain(Sources(), file => CatchAllFolders().IsMatch(file));

    [Fact]
    public async Task Served_routes_are_the_documented_routes()
    {
        using var app = new CatalogApp(database);
        using var client = app.Anonymous();
        var document = await client.GetJson("/openapi/v1.json");
        var documented = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path =>
                path.Value.EnumerateObject().Select(operation => $"{operation.Name.ToUpperInvariant()} {path.Name.TrimEnd('/')}"));

        var served = app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText is { } text && !text.StartsWith("/openapi", StringComparison.Ordinal)
                && endpoint.Metadata.GetMetadata<Microsoft.AspNetCore.Routing.IExcludeFromDescriptionMetadata>() is null)
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods
                .Select(method => $"{method} {endpoint.RoutePattern.RawText!.TrimEnd('/')}")).ToList();

        // Every GET route also serves HEAD; the document states this once for all routes.
        Assert.Equal(served.Where(route => route.StartsWith("GET ", StringComparison.Ordinal)).Select(route => "HEAD" + route[3..]).Order(),
            served.Where(route => route.StartsWith("HEAD ", StringComparison.Ordinal)).Order());
        Assert.Equal(served.Where(route => !route.StartsWith("HEAD ", StringComparison.Ordinal)).Order(), documented.Order());
    }

    [Fact]
    public async Task Every_operation_has_a_summary_an_id_and_its_parameters_and_problems_documented()
    {
        using var app = new CatalogApp(database);
        using var client = app.Anonymous();
        var document = await client.GetJson("/openapi/v1.json");
        foreach (var operation in document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject())
            .Select(operation => operation.Value))
        {
            Assert.NotEqual("", operation.GetProperty("summary").GetString());
            Assert.NotEqual("", operation.GetProperty("operationId").GetString());
            Assert.All(
                operation.TryGetProperty("parameters", out var parameters) ? parameters.EnumerateArray().ToList() : [],
                parameter =>
                    Assert.True(parameter.TryGetProperty("description", out _),
                        $"{operation.GetProperty("operationId")}: {parameter.GetProperty("name")} has no description."));
            Assert.All(
                operation.GetProperty("responses").EnumerateObject().Where(response => response.Name[0] is '4' or '5'),
                response => Assert.True(response.Value.GetProperty("content").TryGetProperty("application/problem+json", out _)));
        }
    }

    [Fact]
    public void Code_lines_are_at_most_140_columns_wide_except_for_literals()
    {
        var tooLong = new List<string>();
        foreach (var file in Sources())
        {
            var inRawString = false;
            foreach (var (index, line) in File.ReadLines(Path.Combine(Root, file)).Index())
            {
                var isRaw = inRawString;
                inRawString ^= line.Split("\"\"\"").Length % 2 == 0;
                if (line.Length > 140 && !isRaw && !inRawString && !LongLiteral().IsMatch(line))
                {
                    tooLong.Add($"{file}:{index + 1}");
                }
            }
        }

        Assert.Empty(tooLong);
    }

    [Fact]
    public void Source_files_have_at_most_300_lines() =>
        Assert.DoesNotContain(Sources(), file => File.ReadLines(Path.Combine(Root, file)).Count() > 300);

    internal static IEnumerable<string> Sources() => Directory.EnumerateFiles(Root, "*.cs", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    private static void AssertNowhere(Func<string, bool> where, Regex what)
    {
        var files = Sources().Where(where).ToList();
        Assert.NotEmpty(files);
        Assert.Empty(
            files.SelectMany(file => what.Matches(File.ReadAllText(Path.Combine(Root, file))).Select(match => $"{file}: {match.Value}")));
    }

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Catalog.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException(
                "The tests must run in a directory below Catalog.sln.");
        }

        return directory;
    }

    [GeneratedRegex(@"(configuration|settings|Settings\(\))\[[""a-z]|GetEnvironmentVariable\(""(DATA|AWS|PG_BIN)", RegexOptions.IgnoreCase)]
    private static partial Regex ReadSettings();

    [GeneratedRegex(@"DATAXPIPE_\w*[A-Z0-9]\b")]
    private static partial Regex SettingNames();

    [GeneratedRegex(@"(new\(|Option<[^>]*>\(|Seconds\(|Count\()\s*""(?<name>--[a-z-]+)""")]
    private static partial Regex DefinedOptions();

    [GeneratedRegex(@"(?<![\w-])--[a-zA-Z][a-zA-Z-]+")]
    private static partial Regex NamedOptions();

    [GeneratedRegex(@"^\s*//.*$", RegexOptions.Multiline)]
    private static partial Regex Comments();

    [GeneratedRegex(@"\b(primary key|unique|on \w+) \((?<columns>[^)]*)\)")]
    private static partial Regex KeysAndIndexes();

    [GeneratedRegex(@"\bNpgsql\w*|\bSqlite(Connection|Command|Exception|Parameter)\b|Microsoft\.Data\.Sqlite")]
    private static partial Regex Drivers();

    [GeneratedRegex(@"^(Catalog\.Data/(Database|Warehouses)/|Catalog\.Tests/|bench/)|/(Postgres|Sqlite)\w*\.cs$")]
    private static partial Regex DriverFiles();

    [GeneratedRegex(@"(?i)\b(select|insert into|update|delete from)\s[\w@*, ]+\s(from|values|set|where)\b|\bDapper\b")]
    private static partial Regex Sql();

    [GeneratedRegex(@"Microsoft\.AspNetCore|System\.Net\.Http|\bHttpContext\b")]
    private static partial Regex Http();

    // An interpolated, verbatim or raw literal cannot be wrapped everywhere, so its line may be longer.
    [GeneratedRegex(@"[$@]""|""""""")]
    private static partial Regex LongLiteral();

    [GeneratedRegex(@"(?i)(^|/)(common|core|shared|helpers?|utils?|utilities|services|interfaces|extensions|models|misc)/")]
    private static partial Regex CatchAllFolders();
}
