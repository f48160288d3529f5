using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Catalog.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Primitives;

namespace Catalog.Api.Http;

/// <summary>
/// Validates the query string against the parameters of its route, before binding. Unknown names, empty values and
/// unreadable values are rejected, because a filter that is ignored silently would return everything. Whole numbers and
/// times in other notations are rewritten to the notation that binding reads.
/// </summary>
internal static class QueryParameters
{
    /// <summary>The middleware. It runs after routing and authorization.</summary>
    public static Task Validate(HttpContext context, RequestDelegate next)
    {
        // The responses of routing itself, such as 405, have an endpoint that is not a RouteEndpoint.
        if (!context.Request.QueryString.HasValue || context.GetEndpoint() is not RouteEndpoint { Metadata: var metadata }
            || metadata.GetMetadata<AcceptsAnyQuery>() is not null)
        {
            return next(context);
        }

        var accepted = QueryMetadata.Of(metadata);
        var now = context.RequestServices.GetRequiredService<TimeProvider>().Now();
        var errors = new Dictionary<string, string[]>();
        var normalizedQuery = new Dictionary<string, StringValues>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, values) in context.Request.Query)
        {
            normalizedQuery[name] = values;
            if (FindError(name, values, accepted, now, out var normalized) is { } error)
            {
                errors[name] = [error];
            }
            else if (normalized is not null)
            {
                normalizedQuery[name] = normalized;
            }
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors).ExecuteAsync(context);
        }

        context.Request.Query = new QueryCollection(normalizedQuery);
        return next(context);
    }

    private static string? FindError(string name, StringValues values, IReadOnlyDictionary<string, QueryParameter> accepted,
        DateTimeOffset now, out string? normalized)
    {
        normalized = null;
        if (!accepted.TryGetValue(name, out var parameter))
        {
            return SpellingSuggestion.Of(name, accepted.Keys.Order(StringComparer.Ordinal)) is { } nearest
                ? $"is not a parameter of this path; the nearest name is {nearest}. This path accepts "
                    + $"{string.Join(", ", accepted.Keys.Order(StringComparer.Ordinal))}."
                : "is not a parameter of this path, which accepts no parameters.";
        }

        return values.Count > 1 ? "is given twice."
            : values.ToString() is { Length: > 0 } text ? parameter.Read(text, now, out normalized)
            : parameter.AllowsEmpty ? null
            : "is empty; give it a value or leave it out.";
    }
}

/// <summary>One query parameter of a route.</summary>
/// <param name="Type">The type that the parameter is bound to.</param>
/// <param name="AllowsEmpty">Whether an empty value has a meaning.</param>
internal sealed record QueryParameter(Type Type, bool AllowsEmpty)
{
    /// <summary>Checks a value, and rewrites it when it uses another notation than binding reads.</summary>
    /// <param name="text">The value as it was sent.</param>
    /// <param name="now">The time from which a duration such as <c>24h</c> is subtracted.</param>
    /// <param name="normalized">The rewritten value; null when the value is unchanged.</param>
    /// <returns>Null when the value is valid; otherwise the error message.</returns>
    public string? Read(string text, DateTimeOffset now, out string? normalized)
    {
        normalized = null;
        if (Type == typeof(int?))
        {
            var error = JsonNumber.ReadWhole(Encoding.UTF8.GetBytes(text), out var whole);
            // The validator of each parameter checks its range. A number outside the range of int is outside every such
            // range, so clamping it is safe.
            normalized = Math.Clamp(whole, int.MinValue, int.MaxValue).ToString(CultureInfo.InvariantCulture);
            return error == JsonNumber.OutOfRange ? null : error;
        }

        if (Type == typeof(bool?))
        {
            return text is "true" or "false" ? null : "must be true or false.";
        }

        return Type != typeof(Instant?) || Instant.TryParse(text, null, out _) ? null : Instant.ReadAgo(text, now, out normalized);
    }
}

/// <summary>The query parameters of a route.</summary>
/// <param name="Type">The record that the query is bound to.</param>
internal sealed record QueryMetadata(Type Type)
{
    private static readonly IReadOnlyDictionary<string, QueryParameter> None = new Dictionary<string, QueryParameter>();

    /// <summary>The parameters by name; letter case is ignored.</summary>
    public IReadOnlyDictionary<string, QueryParameter> Parameters { get; } = Type.GetProperties().ToDictionary(
        property => property.GetCustomAttribute<FromQueryAttribute>()?.Name ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name),
        property => new QueryParameter(property.PropertyType, property.IsDefined(typeof(AllowsEmptyAttribute))),
        StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The parameters of a route. A page has the parameters of its list and the parameters that every page has.
    /// </summary>
    public static IReadOnlyDictionary<string, QueryParameter> Of(EndpointMetadataCollection metadata) =>
        metadata.GetOrderedMetadata<QueryMetadata>() switch
        {
            [] => None,
            [var only] => only.Parameters,
            var several => several.SelectMany(query => query.Parameters)
                .DistinctBy(parameter => parameter.Key, StringComparer.OrdinalIgnoreCase)
                .ToDictionary(StringComparer.OrdinalIgnoreCase),
        };
}

/// <summary>Marks a query parameter whose empty value has a meaning.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AllowsEmptyAttribute : Attribute;

/// <summary>Marks a route that ignores unknown query parameters.</summary>
internal sealed record AcceptsAnyQuery;
