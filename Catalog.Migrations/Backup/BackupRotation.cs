using System.CommandLine;
using System.Globalization;

namespace Catalog.Migrations.Backup;

/// <summary>The rules for keeping backups. Days, weeks and months without a backup do not count.</summary>
/// <param name="Last">Number of newest backups to keep; at least 1.</param>
/// <param name="Daily">Number of days (UTC); the newest backup of each day is kept.</param>
/// <param name="Weekly">Number of ISO weeks; the newest backup of each week is kept.</param>
/// <param name="Monthly">Number of months; the newest backup of each month is kept.</param>
/// <param name="OlderThan">Minimum age of the backups to remove; null for no minimum.</param>
internal sealed record BackupRotation(int Last, int Daily, int Weekly, int Monthly, TimeSpan? OlderThan)
{
    /// <summary>
    /// Selects the backups to remove. Checks each backup that a rule would keep. If it is damaged, it is neither
    /// counted nor removed.
    /// </summary>
    /// <param name="generations">All backups of one database, newest first.</param>
    /// <param name="at">Returns the time of a backup.</param>
    /// <param name="isGood">Checks a backup.</param>
    /// <param name="now">The current time.</param>
    /// <returns>The backups that no rule keeps. They are not checked.</returns>
    public async Task<IReadOnlyList<T>> Removable<T>(IEnumerable<T> generations, Func<T, DateTimeOffset> at, Func<T, Task<bool>> isGood,
        DateTimeOffset now)
    {
        var count = 0;
        var rules = new (int Max, Func<DateTime, int> Period, HashSet<int> Seen)[]
        {
            (Daily, day => day.Year * 1000 + day.DayOfYear, []),
            (Weekly, day => ISOWeek.GetYear(day) * 100 + ISOWeek.GetWeekOfYear(day), []),
            (Monthly, day => day.Year * 100 + day.Month, []),
        };
        var removable = new List<T>();
        foreach (var backup in generations)
        {
            var day = at(backup).UtcDateTime;
            var matching = rules.Where(rule => rule.Seen.Count < rule.Max && !rule.Seen.Contains(rule.Period(day))).ToList();
            if (count < Last || matching.Count > 0)
            {
                if (await isGood(backup))
                {
                    count++;
                    matching.ForEach(rule => rule.Seen.Add(rule.Period(day)));
                }
            }
            else if (OlderThan is not { } age || now - at(backup) > age)
            {
                removable.Add(backup);
            }
        }

        return removable;
    }
}

/// <summary>The options of <see cref="BackupRotation"/>.</summary>
internal sealed class BackupRotationOptions
{
    private readonly Option<int?> _last = Count("--keep-last", 1, "Keep this many of the newest good backups. Default: 7.", "--keep");
    private readonly Option<int?> _daily = Count(
        "--keep-daily", 0, "Keep the newest good backup of this many days (UTC); days without a backup do not count.");
    private readonly Option<int?> _weekly = Count(
        "--keep-weekly", 0, "Keep the newest good backup of this many weeks, which begin on Mondays.");
    private readonly Option<int?> _monthly = Count("--keep-monthly", 0, "Keep the newest good backup of this many months.");
    private readonly Option<int?> _olderThan = Count("--older-than", 0, "Remove only backups older than this many days.");
    private readonly Option<bool> _shallow = new("--shallow")
    {
        Description = "Read only the newest backup completely. For the others, compare only the size with the manifest, which "
            + "avoids downloads."
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _last, _daily, _weekly, _monthly, _olderThan, _shallow })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>True when at least one of the options other than <c>--shallow</c> is given.</summary>
    public bool Given(ParseResult arguments) =>
        new[] { _last, _daily, _weekly, _monthly, _olderThan }.Any(option => arguments.GetValue(option) is not null);

    public bool Shallow(ParseResult arguments) => arguments.GetValue(_shallow);

    public BackupRotation Read(ParseResult arguments) => new(
        arguments.GetValue(_last) ?? 7, arguments.GetValue(_daily) ?? 0, arguments.GetValue(_weekly) ?? 0, arguments.GetValue(_monthly)
            ?? 0,
        arguments.GetValue(_olderThan) is { } days ? TimeSpan.FromDays(days) : null);

    private static Option<int?> Count(string name, int min, string description, params string[] aliases)
    {
        var option = new Option<int?>(name, aliases) { Description = description, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var count)
                && count >= min && count <= 36_500))
            {
                result.AddError($"{result.IdentifierToken?.Value ?? name} must be a whole number from {min} to 36500.");
            }
        });
        return option;
    }
}
