using System.CommandLine;
using System.Globalization;

namespace Catalog.Migrations.Backup;

/// <summary>Which backups are kept: the newest ones, and of days, weeks and months that have any, the newest of each.</summary>
/// <param name="Last">How many of the newest; at least 1.</param>
/// <param name="Daily">Of how many days in UTC.</param>
/// <param name="Weekly">Of how many weeks, which begin on Mondays.</param>
/// <param name="Monthly">Of how many months.</param>
/// <param name="OlderThan">Younger ones are kept whatever the rest says; null: no such rule.</param>
internal sealed record BackupRotation(int Last, int Daily, int Weekly, int Monthly, TimeSpan? OlderThan)
{
    /// <summary>Chooses what may be removed. Only backups that are good count, so each that a rule would keep is examined.</summary>
    /// <param name="generations">Of one database, newest first.</param>
    /// <param name="at">Whose state a backup holds.</param>
    /// <param name="good">Examines.</param>
    /// <param name="now">The present.</param>
    /// <returns>What no rule keeps; what is not good is neither kept nor removed.</returns>
    public async Task<IReadOnlyList<T>> Removable<T>(IEnumerable<T> generations, Func<T, DateTimeOffset> at, Func<T, Task<bool>> good, DateTimeOffset now)
    {
        var kept = 0;
        var rules = new (int Most, Func<DateTime, int> Period, HashSet<int> Seen)[]
        {
            (Daily, day => day.Year * 1000 + day.DayOfYear, []),
            (Weekly, day => ISOWeek.GetYear(day) * 100 + ISOWeek.GetWeekOfYear(day), []),
            (Monthly, day => day.Year * 100 + day.Month, []),
        };
        var removable = new List<T>();
        foreach (var one in generations)
        {
            var day = at(one).UtcDateTime;
            var wanted = rules.Where(rule => rule.Seen.Count < rule.Most && !rule.Seen.Contains(rule.Period(day))).ToList();
            if (kept < Last || wanted.Count > 0)
            {
                if (await good(one))
                {
                    kept++;
                    wanted.ForEach(rule => rule.Seen.Add(rule.Period(day)));
                }
            }
            else if (OlderThan is not { } age || now - at(one) > age)
            {
                removable.Add(one);
            }
        }

        return removable;
    }
}

/// <summary>The options of <see cref="BackupRotation"/>.</summary>
internal sealed class BackupRotationOptions
{
    private readonly Option<int?> _last = Count("--keep-last", 1, "Keep this many of the newest good backups; 7 when it is not said.", "--keep");
    private readonly Option<int?> _daily = Count("--keep-daily", 0, "Keep the newest good one of this many days (UTC) that have any.");
    private readonly Option<int?> _weekly = Count("--keep-weekly", 0, "The same of weeks, which begin on Mondays.");
    private readonly Option<int?> _monthly = Count("--keep-monthly", 0, "The same of months.");
    private readonly Option<int?> _olderThan = Count("--older-than", 0, "Remove only what is older than this many days.");
    private readonly Option<bool> _shallow = new("--shallow") { Description = "Read only the newest backup to its end, and of the others believe size and manifest: spares the downloads." };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _last, _daily, _weekly, _monthly, _olderThan, _shallow })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Whether any rule was named.</summary>
    public bool Given(ParseResult arguments) => new[] { _last, _daily, _weekly, _monthly, _olderThan }.Any(option => arguments.GetValue(option) is not null);

    public bool Shallow(ParseResult arguments) => arguments.GetValue(_shallow);

    public BackupRotation Read(ParseResult arguments) => new(
        arguments.GetValue(_last) ?? 7, arguments.GetValue(_daily) ?? 0, arguments.GetValue(_weekly) ?? 0, arguments.GetValue(_monthly) ?? 0,
        arguments.GetValue(_olderThan) is { } days ? TimeSpan.FromDays(days) : null);

    private static Option<int?> Count(string name, int least, string description, params string[] aliases)
    {
        var option = new Option<int?>(name, aliases) { Description = description, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var count) && count >= least && count <= 36_500))
            {
                result.AddError($"{result.IdentifierToken?.Value ?? name} must be a whole number from {least} to 36500.");
            }
        });
        return option;
    }
}
