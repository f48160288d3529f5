using Catalog.Data.Migrations;

namespace Catalog.Migrations.Lint;

/// <summary>Settings that are the runner's, or that later scripts would run with, on Postgres.</summary>
internal static class SettingRules
{
    private static readonly string[] Limits = ["lock_timeout", "statement_timeout"];

    // They change what a statement means, and so also for the rest of this script alone.
    private static readonly string[] Pinned = ["search_path", "schema", "role", "session authorization", "session_authorization", "session characteristics", "standard_conforming_strings", "client_encoding", "names"];

    // Of other rules, or of the transaction alone.
    private static readonly string[] Elsewhere = [.. Limits, "row_security", "session_replication_role", "transaction", "constraints"];

    public static readonly IReadOnlyList<LintRule> All =
    [
        new("lock-timeout", "The runner's limits no longer hold traffic's wait short.", "Leave it out; for one run: catalog-migrations upgrade --lock-timeout SECONDS --statement-timeout SECONDS.")
        {
            Engine = "postgres",
            OnStatement = LockTimeout,
        },
        new("session-setting", "A script runs in schema public as the tables' owner, and what it sets for the session, later scripts run with.", "Names with their schema (archive.runs), and set local for what the script alone needs.")
        {
            Engine = "postgres",
            OnStatement = SessionSetting,
        },
    ];

    private static IEnumerable<LintHit> LockTimeout(LintContext context)
    {
        var tokens = context.Tokens;
        var limit = tokens[0].Is("set") || tokens[0].Is("reset")
            ? Limits.FirstOrDefault(tokens.Has)
            : tokens.Index().Where(token => tokens.At(token.Index - 2, "set_config", "(")).Select(token => token.Item.Text.Trim('\'').ToLowerInvariant()).FirstOrDefault(Limits.Contains);
        return limit is null ? [] : context.At($"{limit} is the runner's to set, so that traffic waits no longer than that");
    }

    private static IEnumerable<LintHit> SessionSetting(LintContext context)
    {
        var tokens = context.Tokens;
        if (tokens[0].Is("discard") || (tokens[0].Is("reset") && !Elsewhere.Any(tokens.Has)))
        {
            return context.At($"{tokens.Words()} takes back settings that the runner made", "Leave it out: what is set with set local ends with the script.");
        }

        return tokens[0].Is("set") ? Set(context) : tokens.Index().Where(token => tokens.At(token.Index, "set_config", "(")).SelectMany(token => SetConfig(context, [.. tokens.Skip(token.Index + 1)]));
    }

    private static IEnumerable<LintHit> Set(LintContext context)
    {
        var reader = new TokenReader([.. context.Tokens.Skip(1)]);
        var local = reader.Take("local");
        var name = reader.Take("session authorization") ? "session authorization" : reader.Take("session characteristics") ? "session characteristics" : null;
        reader.Skip("session");
        var rest = reader.Rest;
        name ??= reader.Name();
        return Pinned.Contains(name) ? context.At($"sets {name}, and a script runs in schema public as the tables' owner")
            : local || Elsewhere.Contains(name) ? []
            : context.At($"sets {name} for the session, and later scripts run with it", context.Inner ? null : $"set local {string.Join(' ', rest.Select(token => token.Text))};");
    }

    private static IEnumerable<LintHit> SetConfig(LintContext context, IReadOnlyList<SqlToken> from)
    {
        var arguments = new TokenReader(from).Parenthesis().Parts().ToList();
        var name = arguments.Count > 0 ? arguments[0][0].Text.Trim('\'').ToLowerInvariant() : "";
        return Limits.Contains(name) ? []
            : Pinned.Contains(name) || Elsewhere.Contains(name) ? context.At($"sets {name}, and a script runs in schema public as the tables' owner, held to row security and with its triggers")
            : arguments is [_, _, [var local]] && local.Is("true") ? []
            : context.At($"sets {name} for the session, and later scripts run with it", $"set local {name} = …;");
    }
}
