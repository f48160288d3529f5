using System.Globalization;
using System.Text.Json;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Transfer;

/// <summary>
/// One value of every kind that a SQLite column can contain. It is transferred exactly, or listed before anything is
/// written.
/// </summary>
public sealed class TransferValueTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>
{
    // A column of check_results, an SQLite expression, its storage class and a part of the expected reason.
    private static readonly (string Column, string Value, string Stored, string Reason)[] Refused =
    [
        ("message", "cast(x'6100' || x'62' as text)", "text", "NUL"),
        ("message", "char(0)", "text", "NUL"),
        ("message", "cast(x'eda080' as text)", "text", "UTF-8"),
        ("message", "cast(x'c328' as text)", "text", "UTF-8"),
        ("message", "cast(x'ff' as text)", "text", "UTF-8"),
        ("message", "cast(x'f4908080' as text)", "text", "UTF-8"),
        ("message", "cast(x'c080' as text)", "text", "UTF-8"),
        ("message", "x'00ff'", "blob", "instead of text"),
        ("total_rows", "'twelve'", "text", "instead of an integer"),
        ("total_rows", "''", "text", "instead of an integer"),
        ("total_rows", "1.5", "real", "instead of an integer"),
        ("total_rows", "9223372036854775808", "real", "out of range for bigint"),
        ("total_rows", "-1e300", "real", "out of range for bigint"),
        ("total_rows", "x'01'", "blob", "instead of an integer"),
        ("observed_number", "9e999", "real", "not finite"),
        ("observed_number", "-9e999", "real", "not finite"),
        ("observed_number", "'NaN'", "text", "instead of a number"),
        ("executed_at", "'2026-01-31'", "text", "not a timestamp"),
        ("executed_at", "'2026-01-31T06:05'||char(10)", "text", "not a timestamp"),
        ("executed_at", "2461071.75", "text", "not a timestamp"),
        ("executed_at", "1769839500", "text", "not a timestamp"),
        ("executed_at", "'2026-01-31T06:05:00.1234567Z'", "text", "six decimal places"),
        ("executed_at", "'2026-02-30T06:05:00.000000Z'", "text", "not a valid date"),
        ("executed_at", "'2026-01-31T24:00:00.000000Z'", "text", "not a valid date"),
        ("executed_at", "'2026-01-31T23:59:60.000000Z'", "text", "not a valid date"),
        ("executed_at", "'0000-01-01T00:00:00.000000Z'", "text", "not a valid date"),
        ("executed_at", "'0001-01-01T00:00:00+01:00'", "text", "1 to 9999"),
        ("executed_at", "'now'", "text", "not a timestamp"),
        ("executed_at", "''", "text", "not a timestamp"),
        ("executed_at", "x'32303236'", "blob", "instead of a timestamp"),
        ("dataset_key", "'no guid'", "text", "not a UUID"),
        ("dataset_key", "'{6F9619FF-8B86-D011-B42D-00C04FC964FF}'", "text", "not a UUID"),
        ("dataset_key", "'6F9619FF8B86D011B42D00C04FC964FF'", "text", "not a UUID"),
        ("dataset_key", "x'6f9619ff8b86d011b42d00c04fc964ff'", "blob", "instead of a UUID"),
        ("request_hash", "'text'", "text", "instead of bytes"),
        ("request_hash", "7", "integer", "instead of bytes"),
        ("status", "'unheard-of'", "text", "check_results_status_check"),
        ("status", "'unheard-of'", "text", "check_results_status_check"),
        ("severity", "'fatal'", "text", "check_results_severity_check"),
        ("status", "''", "text", "check_results_status_check"),
    ];

    // A column, an SQLite expression and the expected value in Postgres as text. Null: the value is null.
    private static readonly (string Column, string Value, string? Arrives)[] Moved =
    [
        ("message", "null", null),
        ("message", "''", ""),
        ("message", "' '", " "),
        ("message", "'null'", "null"),
        ("message", "12", "12"),
        ("message", "1.5", "1.5"),
        ("message", "'\\N'", "\\N"),
        ("message", "'😀 👩‍👩‍👧‍👦 é e' || char(769)", "😀 👩‍👩‍👧‍👦 é e\u0301"),
        ("message", "cast(x'f09f9880' as text)", "😀"),
        ("message", "char(1) || char(9) || char(10) || char(13) || char(127) || char(65279) || char(65535)",
            "\u0001\t\n\r\u007f\ufeff\uffff"),
        ("message", "printf('%.10000c', 'x')", new string('x', 10_000)),
        ("observed_value", "'{\"a\":1,\"a\":2, \"z\":1e400,\"n\":NaN,\"u\":\"\\u0000\"}'",
            "{\"a\":1,\"a\":2, \"z\":1e400,\"n\":NaN,\"u\":\"\\u0000\"}"),
        ("total_rows", "9223372036854775807", "9223372036854775807"),
        ("total_rows", "-9223372036854775808", "-9223372036854775808"),
        ("total_rows", "9007199254740993", "9007199254740993"),
        ("total_rows", "'12'", "12"),
        ("total_rows", "12.0", "12"),
        ("observed_number", "5e-324", "5e-324"),
        ("observed_number", "1.7976931348623157e308", "1.7976931348623157e+308"),
        ("observed_number", "0.1 + 0.2", "0.30000000000000004"),
        ("observed_number", "12", "12"),
        ("observed_number", "'1e3'", "1000"),
        ("observed_number", "9007199254740993", "9.007199254740992e+15"),
        ("dataset_key", "'6F9619FF-8B86-D011-B42D-00C04FC964FF'", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        ("dataset_key", "'6f9619ff-8b86-d011-b42d-00c04fc964ff'", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        ("request_hash", "x''", "\\x"),
        ("request_hash", "x'00ff00'", "\\x00ff00"),
        ("executed_at", "'2026-01-31T06:05:00.000001Z'", "2026-01-31 06:05:00.000001+00"),
        ("executed_at", "'0001-01-01T00:00:00.000000Z'", "0001-01-01 00:00:00+00"),
        ("executed_at", "'9999-12-31T23:59:59.999999Z'", "9999-12-31 23:59:59.999999+00"),
        ("executed_at", "'1969-12-31T23:59:59.999999Z'", "1969-12-31 23:59:59.999999+00"),
        ("executed_at", "'2024-02-29T00:00:00.000000Z'", "2024-02-29 00:00:00+00"),
        ("executed_at", "'2026-01-31 06:05:00'", "2026-01-31 06:05:00+00"),
        ("executed_at", "'2026-01-31T06:05'", "2026-01-31 06:05:00+00"),
        ("executed_at", "'2026-01-31T06:05:00+05:30'", "2026-01-31 00:35:00+00"),
        ("executed_at", "'2026-01-31T06:05:00.5-0130'", "2026-01-31 07:35:00.5+00"),
        ("executed_at", "'2026-01-31T06:05:00.1234560000Z'", "2026-01-31 06:05:00.123456+00"),
        ("run_id", "'a run that nobody knows'", "a run that nobody knows"),
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Values_that_Postgres_would_refuse_or_change_are_listed_and_nothing_is_written()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        foreach (var (index, row) in Refused.Index())
        {
            Insert(pair, index, row.Column, row.Value);
        }

        var result = await pair.Transfer("--json");

        Assert.Equal(4, result.Exit);
        var findings = result.Json.GetProperty("findings").EnumerateArray().ToList();
        var found = findings.Select(finding =>
            (finding.GetProperty("row_id").GetInt64(), Text(finding, "column"), Text(finding, "stored"), Text(finding, "reason")))
                .OrderBy(finding => finding.Item1).ToList();
        foreach (var (index, row) in Refused.Index())
        {
            Assert.True(found.Count(finding => finding.Item1 == index + 1) == 1,
                $"{row}: {string.Join("; ", found.Where(finding => finding.Item1 == index + 1))}");
            var (_, column, stored, reason) = found.Single(finding => finding.Item1 == index + 1);
            Assert.Equal((row.Column, row.Stored), (column, stored));
            Assert.True(reason!.Contains(row.Reason, StringComparison.Ordinal), $"{row}: {reason}");
        }

        Assert.Equal(Refused.Length, result.Json.GetProperty("findings_count").GetInt32());
        Assert.All(findings, finding => Assert.StartsWith("default / ", Text(finding, "key")));
        Assert.Empty(await pair.Counts());
    }

    [Fact]
    public async Task Every_other_value_is_transferred_exactly()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        foreach (var (index, row) in Moved.Index())
        {
            Insert(pair, index, row.Column, row.Value);
        }

        var result = await pair.Transfer("--json");

        Assert.True(result.Exit == 0, result.ToString());
        await using var target = await pair.OpenTarget();
        await target.ExecuteAsync("set timezone = 'UTC'");
        foreach (var (index, row) in Moved.Index())
        {
            Assert.Equal(row.Arrives, await target.ExecuteScalarAsync<string?>(
                $"select {row.Column}::text from check_results where id = @id", new { id = $"{index:000}" }));
        }

        // Compare the bits too: text would hide the sign of zero.
        using var source = pair.OpenSource();
        var here = source.Query<(string, double?)>("select id, observed_number from check_results order by id").Select(Bits);
        Assert.Equal(here, (await target.QueryAsync<(string, double?)>("select id, observed_number from check_results order by id"))
            .Select(Bits));
        Assert.Equal(Moved.Length, result.Json.GetProperty("tables").EnumerateArray().Sum(table => table.GetProperty("copied").GetInt32()));

        static (string, long?) Bits((string Id, double? Number) row) =>
            (row.Id, row.Number is { } number ? BitConverter.DoubleToInt64Bits(number) : null);
    }

    [Fact]
    public async Task Keys_that_the_target_sorts_differently_or_cannot_index_are_listed()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        pair.Change("""
            insert into datasets values ('default', '6f9619ff-8b86-d011-b42d-00c04fc964ff', '', 'small letters', '2026-01-01T00:00:00.000000Z');
            insert into lineage_edges values ('default', '6F9619FF-8B86-D011-B42D-00C04FC964FF', '7F9619FF-8B86-D011-B42D-00C04FC964FF', 'p', '2026-01-31 06:05:00', null, null);
            insert into pipeline_tags values ('default', 'p', x'00'), ('default', null, 'tag');
            """.Replace("null, 'tag'", "char(27) || '[31m', cast(x'ff' as text)", StringComparison.Ordinal));
        // A long value fits into an index row of Postgres only if it can be compressed.
        pair.Change(
            "insert into pipeline_tags values ('default', 'long', hex(randomblob(4000))), ('default', 'even', printf('%.8000c', 'x'))");

        var result = await pair.Transfer("--json");

        Assert.Equal(4, result.Exit);
        var found = result.Json.GetProperty("findings").EnumerateArray().Select(finding =>
            $"{Text(finding, "table")}.{Text(finding, "column")}: {Text(finding, "reason")}").Order(StringComparer.Ordinal).ToList();
        Assert.Equal(5, found.Count);
        Assert.StartsWith("datasets.id: is a UUID in lower-case letters in a key", found[0]);
        Assert.StartsWith("lineage_edges.valid_from: is a timestamp in a key in another format", found[1]);
        Assert.Equal("pipeline_tags.tag: is a blob instead of text", found[2]);
        Assert.StartsWith("pipeline_tags.tag: is not valid UTF-8", found[3]);
        Assert.StartsWith("pipeline_tags.tag: is too long for the target's index", found[4]);
        // Escape characters in keys do not reach the terminal.
        Assert.DoesNotContain('\u001b', (await pair.Transfer()).Output);
        Assert.Empty(await pair.Counts());
    }

    [Fact]
    public async Task Text_output_shows_fifty_findings_and_the_number_of_the_others()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        pair.AddResults(200);
        pair.Change("update check_results set message = cast(x'ff' as text)");

        var result = await pair.Transfer();

        Assert.Equal(4, result.Exit);
        Assert.Equal(50, result.Output.Split('\n').Count(line => line.StartsWith("check_results.message", StringComparison.Ordinal)));
        Assert.Contains("and 150 more", result.Output);
        Assert.Contains("200 values cannot be moved. Nothing was written.", result.Output);
        Assert.Equal(200, (await pair.Transfer("--json")).Json.GetProperty("findings").GetArrayLength());
        Assert.Empty(await pair.Counts());
    }

    [Fact]
    public async Task Hostile_strings_from_other_projects_are_transferred()
    {
        server.Require();
        var strings = JsonDocument.Parse(
            await File.ReadAllTextAsync(RealInput.Files("hostile").Single(file => Path.GetFileName(file) == "strings.json"), Ct))
            .RootElement.EnumerateArray().Select(item => item.GetString()!).Distinct(StringComparer.Ordinal).ToList();
        using var pair = await TransferPair.Make();
        using (var source = pair.OpenSource())
        {
            using var transaction = source.BeginTransaction();
            foreach (var text in strings)
            {
                source.Execute("insert into pipeline_tags values ('default', 'p', @text)", new { text }, transaction);
            }

            transaction.Commit();
        }

        var result = await pair.Transfer("--json");

        Assert.True(result.Exit == 0, result.ToString());
        await using var target = await pair.OpenTarget();
        Assert.Equal(strings.Order(StringComparer.Ordinal), (await target.QueryAsync<string>("select tag from pipeline_tags"))
            .Order(StringComparer.Ordinal));
    }

    private static void Insert(TransferPair pair, int index, string column, string value)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["organization_id"] = "'default'",
            ["id"] = $"'{index.ToString("000", CultureInfo.InvariantCulture)}'",
            ["pipeline_id"] = "'p'",
            ["check_id"] = "'c'",
            ["status"] = "'pass'",
            ["severity"] = "'error'",
            ["executed_at"] = "'2026-01-31T06:05:00.000000Z'",
            ["request_hash"] = "x'00'",
            ["created_at"] = "'2026-01-31T06:05:00.000000Z'",
            [column] = value,
        };
        pair.Change($"insert into check_results ({string.Join(", ", values.Keys)}) values ({string.Join(", ", values.Values)})");
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
