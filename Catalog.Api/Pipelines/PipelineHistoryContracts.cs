using Catalog.Api.Http;
using Catalog.Data.Pipelines;
using FluentValidation;

namespace Catalog.Api.Pipelines;

/// <summary>Selects the version to compare with.</summary>
public sealed record VersionChangesQuery
{
    /// <summary>The older version. The default is the version that was registered before.</summary>
    public string? From { get; init; }
}

internal sealed class VersionChangesQueryValidator : AbstractValidator<VersionChangesQuery>
{
    public VersionChangesQueryValidator() => RuleFor(query => query.From).Text(Validation.MaxKey);
}

/// <summary>What differs between two versions of a pipeline.</summary>
public sealed record VersionChanges
{
    /// <summary>
    /// The older version. Null when the newer version is the first one; then each of its fields is added.
    /// </summary>
    public string? From { get; init; }

    /// <summary>The newer version.</summary>
    public required string To { get; init; }

    /// <summary>
    /// The changes in the order of the bodies, at most 1,000. Items of arrays are matched by their <c>id</c>, edges by
    /// <c>from</c> and <c>to</c>, and other items by their position. The field <c>version</c> is left out.
    /// </summary>
    public required IReadOnlyList<VersionChange> Changes { get; init; }

    /// <summary>Whether there are more changes than these.</summary>
    public required bool Truncated { get; init; }

    internal static VersionChanges Between(PipelineVersion? from, PipelineVersion to)
    {
        var (changes, truncated) = BodyChanges.Between(from?.Body ?? "{}", to.Body);
        return new()
        {
            From = from?.Version,
            To = to.Version,
            Changes = [.. changes.Select(change => new VersionChange
            {
                Path = change.Path,
                Kind = change.Kind.ToString().ToLowerInvariant(),
                From = RawJson.From(change.From),
                To = RawJson.From(change.To),
            })],
            Truncated = truncated,
        };
    }
}

/// <summary>One difference between the two bodies.</summary>
public sealed record VersionChange
{
    /// <summary>The JSON pointer of the value in the newer body; for a removed value, in the older body.</summary>
    public required string Path { get; init; }

    /// <summary>added, removed or changed.</summary>
    public required string Kind { get; init; }

    /// <summary>The older value; null when the field was added.</summary>
    public RawJson? From { get; init; }

    /// <summary>The newer value; null when the field was removed.</summary>
    public RawJson? To { get; init; }
}

/// <summary>What is stored of a pipeline, deleted or not.</summary>
public sealed record PipelineRemainsItem
{
    /// <summary>When the pipeline was deleted; null when it is not.</summary>
    public DateTimeOffset? DeletedAt { get; init; }

    public required CountItem Versions { get; init; }
    public required CountItem Runs { get; init; }

    /// <summary>The number of results of the pipeline's checks.</summary>
    public required CountItem Results { get; init; }

    /// <summary>The number of check definitions of the pipeline.</summary>
    public required CountItem Checks { get; init; }

    /// <summary>The number of the pipeline's checks that have a result.</summary>
    public required CountItem CheckStates { get; init; }

    internal static PipelineRemainsItem From(PipelineRemains remains) => new()
    {
        DeletedAt = remains.DeletedAt,
        Versions = CountItem.From(remains.Versions),
        Runs = CountItem.From(remains.Runs),
        Results = CountItem.From(remains.Results),
        Checks = CountItem.From(remains.Checks),
        CheckStates = CountItem.From(remains.CheckStates),
    };
}
