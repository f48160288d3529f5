using System.Text.Json;
using Catalog.Data.Dbt;
using Catalog.Data.Events;
using Catalog.Data.OpenLineage;
using Catalog.Data.Otlp;

namespace Catalog.Migrations.Replay;

/// <summary>An event as the log stores it.</summary>
internal sealed record StoredEvent
{
    // A dbt manifest can be nested deeper than the default limit of 64 levels.
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 128 };

    /// <summary>One of the constants of <see cref="EventDialect"/>.</summary>
    public required string Dialect { get; init; }

    public required byte[] Digest { get; init; }

    /// <summary>The body in UTF-8.</summary>
    public required byte[] Body { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>
    /// Reads the event again, without its body. The stored digest is kept, because it was computed before values were
    /// removed from the body.
    /// </summary>
    /// <exception cref="InvalidDataException">The body or the dialect cannot be read.</exception>
    public LoggedEvent Read()
    {
        try
        {
            using var json = JsonDocument.Parse(Body, Deep);
            return new()
            {
                Dialect = Dialect,
                Digest = Digest,
                Body = "{}",
                ReceivedAt = ReceivedAt,
                Report = Dialect switch
                {
                    EventDialect.OpenLineage => OpenLineageEvent.Report(json.RootElement, ReceivedAt, Digest),
                    EventDialect.Dbt => DbtReportReader.Read(json.RootElement, ReceivedAt, Digest),
                    EventDialect.Otlp => OtlpEvents.Report(json.RootElement, ReceivedAt, Digest),
                    _ => throw new InvalidDataException($"The dialect '{Dialect}' is unknown."),
                },
            };
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException("The body is not JSON.", exception);
        }
    }
}
