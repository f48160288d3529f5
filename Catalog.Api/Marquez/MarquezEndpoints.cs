using Catalog.Api.Http;
using Catalog.Data.Marquez;

namespace Catalog.Api.Marquez;

/// <summary>
/// The read routes that Marquez's web UI calls. They are not in the OpenAPI document: names, errors and paging are
/// those of Marquez's API, which has its own description.
/// </summary>
internal static class MarquezEndpoints
{
    public static IServiceCollection AddMarquez(this IServiceCollection services) =>
        services.AddSingleton<MarquezDatasetEndpoints.VersionReader>();

    public static void MapMarquez(this IEndpointRouteBuilder api)
    {
        var routes = api.MapGroup("").WithMetadata(new MarquezRoute(), new AcceptsAnyQuery()).ExcludeFromDescription();
        Read(routes, "/namespaces", Namespaces);
        Read(routes, "/namespaces/{ns}", Namespace);
        Read(routes, "/tags", Tags);
        Read(routes, "/events/lineage", Events);
        Read(routes, MarquezPaths.Search, Search);
        MarquezJobEndpoints.Map(routes);
        MarquezDatasetEndpoints.Map(routes);
        MarquezGraphEndpoints.Map(routes);
        MarquezStatisticEndpoints.Map(routes);
        // In Marquez these routes write tags. Here tags come from facets of events and have no description, so every
        // method answers 405.
        routes.MapOtherMethods("/tags/{tag}");
        routes.MapOtherMethods("/namespaces/{ns}/jobs/{job}/tags/{tag}");
        routes.MapOtherMethods("/namespaces/{ns}/datasets/{dataset}/tags/{tag}");
        routes.MapOtherMethods("/namespaces/{ns}/datasets/{dataset}/fields/{field}/tags/{tag}");
    }

    /// <summary>Maps a route that only reads. Its other methods, which write in Marquez, answer 405.</summary>
    public static void Read(IEndpointRouteBuilder routes, string path, Delegate handler)
    {
        routes.MapGet(path, handler).Requires(Scopes.Read);
        routes.MapOtherMethods(path, HttpMethods.Get);
    }

    private static async Task<IResult> Namespaces(MarquezQuery query, Caller caller, MarquezNamespaces namespaces, CancellationToken ct)
    {
        var (limit, offset) = (query.Limit(MarquezQuery.MaxLimit), query.Offset());
        return query.Problem ?? MarquezJson.Answer(new
        {
            namespaces = (await namespaces.List(caller.Organization, ct)).Skip(offset).Take(limit).Select(Item),
        });
    }

    private static async Task<IResult> Namespace(PathId ns, Caller caller, MarquezNamespaces namespaces, CancellationToken ct) =>
        (await namespaces.List(caller.Organization, ct)).Find(row => row.Namespace == ns.Value) is { } found
            ? MarquezJson.Answer(Item(found)) : Problems.NotFound("namespace");

    private static object Item(NamespaceRow row) => new
    {
        name = row.Namespace,
        row.CreatedAt,
        row.UpdatedAt,
        ownerName = "anonymous",
        description = (string?)null,
        isHidden = false,
    };

    private static async Task<IResult> Tags(Caller caller, MarquezNamespaces namespaces, CancellationToken ct) =>
        MarquezJson.Answer(new
        {
            tags = (await namespaces.Tags(caller.Organization, ct)).Select(tag => new { name = tag, description = (string?)null }),
        });

    private static async Task<IResult> Events(MarquezQuery query, Caller caller, MarquezEvents events, CancellationToken ct)
    {
        var (limit, offset) = (query.Limit(), query.Offset());
        var (after, before) = (query.Time("after", DateTimeOffset.UnixEpoch), query.Time("before", DateTimeOffset.MaxValue));
        var newestFirst = query.Word("sortDirection", "DESC", "DESC", "ASC") == "DESC";
        if (query.Problem is { } problem)
        {
            return problem;
        }

        var (bodies, total) = await events.List(caller.Organization, after, before, newestFirst, limit, offset, ct);
        return bodies is null
            ? MarquezJson.Invalid("The events of this page are larger than 32 MiB. Ask for fewer with limit.")
            : MarquezJson.Answer(new { events = bodies.Select(body => new RawJson(body)), totalCount = total });
    }

    private static async Task<IResult> Search(MarquezQuery query, Caller caller, MarquezSearch search, CancellationToken ct)
    {
        var (text, limit, ns) = (query.Required("q"), query.Limit(10), query.Text("namespace"));
        var filter = query.Word("filter", "ALL", "ALL", "JOB", "DATASET");
        // Marquez's UI sends UPDATE_AT instead of UPDATED_AT.
        var sort = query.Word("sort", "NAME", "NAME", "UPDATED_AT", "UPDATE_AT");
        var (after, before) = (query.Time("after", DateTimeOffset.MinValue), query.Time("before", DateTimeOffset.MaxValue));
        if (text.Length > 200)
        {
            query.Refuse("q must have at most 200 characters.");
        }

        if (query.Problem is { } problem)
        {
            return problem;
        }

        var jobs = filter == "DATASET" ? [] : await search.Jobs(caller.Organization, text, ct);
        var datasets = filter == "JOB" ? [] : await search.Datasets(caller.Organization, text, ct);
        var hits = jobs.Concat(datasets)
            .Where(hit => (ns is null || hit.Name.Namespace == ns) && hit.UpdatedAt >= after && hit.UpdatedAt < before);
        var results = (sort == "NAME"
            ? hits.OrderBy(hit => hit.Name.Name, StringComparer.Ordinal) : hits.OrderByDescending(hit => hit.UpdatedAt))
            .Take(limit).Select(hit => new
            {
                type = hit.IsJob ? "JOB" : "DATASET",
                name = hit.Name.Name,
                hit.UpdatedAt,
                @namespace = hit.Name.Namespace,
                nodeId = hit.IsJob ? NodeId.OfJob(hit.Name) : NodeId.OfDataset(hit.Name),
            }).ToList();
        return MarquezJson.Answer(new { totalCount = results.Count, results });
    }
}
