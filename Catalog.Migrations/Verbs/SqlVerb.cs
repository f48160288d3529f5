using System.CommandLine;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Preview;

namespace Catalog.Migrations.Verbs;

internal static class SqlVerb
{
    public static Command Command()
    {
        var range = new Argument<string?>("from:to")
        {
            Description =
                "The range FROM:TO, such as base:head; a range backward prints down scripts. With a range the database is not read. "
                    + "Default: from the database's revision to head.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = Verb.On("sql",
            "Print the SQL that a migration would run, including journal rows. Changes nothing and takes no lock.",
            "sql > upgrade.sql\nsql base:head\nsql 0002:0001",
            async (database, arguments, output, ct) =>
            {
                var chain = Verb.Chain(arguments, database.Dialect.Folder);
                var (from, to) = arguments.GetValue(range) is { } text
                    ? ParseRange(chain, text) : (await CurrentPlace(database, chain, ct), chain.Scripts.Count);
                var sql = MigrationPreview.Write(database.Dialect, PreviewDialect.For(database.Settings), chain, from, to,
                    DatabaseSettings.ReadAppRole(Verb.Settings(arguments)));
                output.Write(sql);
                output.Document(new { from = chain.RevisionAt(from), to = chain.RevisionAt(to), sql });
                return ExitCode.Ok;
            });
        command.Arguments.Add(range);
        command.Options.Add(Verb.Scripts);
        return command;
    }

    private static (int From, int To) ParseRange(Chain chain, string text)
    {
        var parts = text.Split(':');
        return parts is [{ Length: > 0 } from, { Length: > 0 } to]
            ? (chain.Position(from, 0), chain.Position(to, chain.Position(from, 0)))
            : throw new MigrationException(MigrationFault.UnknownTarget, $"Write the range as FROM:TO, such as base:head, not {text}.");
    }

    private static async Task<int> CurrentPlace(MigrationDatabase database, Chain chain, CancellationToken ct)
    {
        var status = await new Migrator(database, chain, TimeProvider.System).ReadStatus(ct);
        return status.Faults.Count > 0 ? throw status.Faults[0] : status.Position;
    }
}
