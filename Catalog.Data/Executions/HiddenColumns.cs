using Catalog.Data.Executions.Kinds;

namespace Catalog.Data.Executions;

/// <summary>
/// The columns of a check whose values are never kept: the columns that are tagged <c>pii</c> or named in
/// <c>sample_deny</c>. A name in <c>sample_deny</c> may be misspelt. So all columns are hidden when the table does not
/// have a column of that name, or when its columns cannot be read.
/// </summary>
internal sealed class HiddenColumns
{
    private readonly HashSet<string> _names;

    private HiddenColumns(HashSet<string> names, string? all) => (_names, All) = (names, all);

    /// <summary>A sentence that says why all columns are hidden; null when not all of them are hidden.</summary>
    public string? All { get; }

    /// <summary>A sentence that says why a column is hidden.</summary>
    public string Reason => All ?? "its column is tagged pii or named in sample_deny.";

    public bool Contains(string column) => All is not null || _names.Contains(column);

    /// <summary>Reads which columns are hidden for a check.</summary>
    /// <param name="session">The session with the warehouse. A failed statement closes it.</param>
    /// <param name="check">The check.</param>
    /// <param name="context">What the run needs.</param>
    /// <param name="ct">Cancels the operation.</param>
    public static async Task<HiddenColumns> Read(ReopenedSession session, CheckDefinition check, CheckRunContext context,
        CancellationToken ct)
    {
        var names = (await context.PiiColumns(check.Check, check.Table, ct)).Concat(check.SampleDeny)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (check.SampleDeny.Count == 0)
        {
            return new(names, null);
        }

        return await session.Columns(check.Table, ct) is not { Count: > 0 } columns
            ? new(names, "the columns of the table cannot be read, so the names in sample_deny cannot be compared with them.")
            : check.SampleDeny.FirstOrDefault(name => !columns.Contains(name)) is { } unknown
                ? new(names, $"sample_deny names {unknown}, which is not a column of the table. Correct the name.")
                : new(names, null);
    }
}
