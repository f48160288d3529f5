using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Catalog.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Primitives;

namespace Catalog.Api.Http;

/// <summary>
/// Judges a query by what its route takes, before anything is bound: a name that is not known, an empty value and one that cannot be read
/// are refused, because a filter that is passed over in silence shows everything. Other spellings of whole numbers and times are put into
/// the one that binding reads.
/// </summary>
internal static class QueryParameters
{
    /// <summary>The middleware, behind routing and authorization.</summary>
    public static Task Judge(HttpContext context, RequestDelegate next)
    {
        // What routing itself answers, such as 405, is no route's endpoint.
        if (!context.Request.QueryString.HasValue || context.GetEndpoint() is not RouteEndpoint { Metadata: var metadata } || metadata.GetMetadata<TakesAnyQuery>() is not null)
        {
            return next(context);
        }

        var taken = metadata.GetMetadata<QueryMetadata>()?.Parameters ?? QueryMetadata.None;
        var now = context.RequestServices.GetRequiredService<TimeProvider>().Now();
        var errors = new Dictionary<string, string[]>();
        var read = new Dictionary<string, StringValues>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, values) in context.Request.Query)
        {
            read[name] = values;
            if (Wrong(name, values, taken, now, out var plain) is { } wrong)
            {
                errors[name] = [wrong];
            }
            else if (plain is not null)
            {
                read[name] = plain;
            }
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors).ExecuteAsync(context);
        }

        context.Request.Query = new QueryCollection(read);
        return next(context);
    }

    private static string? Wrong(string name, StringValues values, IReadOnlyDictionary<string, QueryParameter> taken, DateTimeOffset now, out string? plain)
    {
        plain = null;
        if (!taken.TryGetValue(name, out var parameter))
        {
            return Nearest.Of(name, taken.Keys.Order(StringComparer.Ordinal)) is { } nearest
                ? $"is not a parameter of this path; the nearest that it takes is {nearest}. It takes {string.Join(", ", taken.Keys.Order(StringComparer.Ordinal))}."
                : "is not a parameter of this path, which takes none.";
        }

        return values.Count > 1 ? "is given twice."
            : values.ToString() is { Length: > 0 } text ? parameter.Read(text, now, out plain)
            : parameter.TakesEmpty ? null
            : "is empty; give it a value or leave it out.";
    }
}

/// <summary>One query parameter of a route.</summary>
/// <param name="Type">What it is bound as.</param>
/// <param name="TakesEmpty">Whether an empty value says something.</param>
internal sealed record QueryParameter(Type Type, bool TakesEmpty)
{
    /// <summary>Reads a value that may be written in several ways.</summary>
    /// <param name="text">The value as sent.</param>
    /// <param name="now">What a time ago is counted from.</param>
    /// <param name="plain">The value as binding reads it; null: as sent.</param>
    /// <returns>Null, or what is wrong.</returns>
    public string? Read(string text, DateTimeOffset now, out string? plain)
    {
        plain = null;
        if (Type == typeof(int?))
        {
            var wrong = JsonNumber.ReadWhole(Encoding.UTF8.GetBytes(text), out var whole);
            // Each has a range of its own, which its validator names; what is beyond is beyond it at the end of ours too.
            plain = Math.Clamp(whole, int.MinValue, int.MaxValue).ToString(CultureInfo.InvariantCulture);
            return wrong == JsonNumber.OutOfRange ? null : wrong;
        }

        return Type != typeof(Instant?) || Instant.TryParse(text, null, out _) ? null : Instant.ReadAgo(text, now, out plain);
    }
}

/// <summary>Says of a route which query it reads.</summary>
internal sealed record QueryMetadata(Type Type)
{
    /// <summary>No parameters at all.</summary>
    public static IReadOnlyDictionary<string, QueryParameter> None { get; } = new Dictionary<string, QueryParameter>();

    /// <summary>The parameters by name, in any letter case.</summary>
    public IReadOnlyDictionary<string, QueryParameter> Parameters { get; } = Type.GetProperties().ToDictionary(
        property => property.GetCustomAttribute<FromQueryAttribute>()?.Name ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name),
        property => new QueryParameter(property.PropertyType, property.IsDefined(typeof(TakesEmptyAttribute))),
        StringComparer.OrdinalIgnoreCase);
}

/// <summary>Says of a query parameter that its empty value has a meaning.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TakesEmptyAttribute : Attribute;

/// <summary>Says of a route that it passes over query parameters that it does not know.</summary>
internal sealed record TakesAnyQuery;
