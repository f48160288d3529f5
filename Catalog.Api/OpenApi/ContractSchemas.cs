using System.Text.Json;
using Catalog.Api.Http;
using FluentValidation;
using FluentValidation.Validators;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Catalog.Api.OpenApi;

/// <summary>
/// Copies the rules of the validators into the schemas of the contracts: lengths, ranges, allowed words and required
/// fields.
/// </summary>
internal static class ContractSchemas
{
    public static Task Shape(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken ct)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        var orNull = context.JsonPropertyInfo is { IsGetNullable: true }
            || Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) is not null ? JsonSchemaType.Null : default;
        if (type == typeof(RawJson))
        {
            schema.Description ??= "Any JSON value.";
        }
        else if (type == typeof(Instant) || type == typeof(DateTimeOffset))
        {
            (schema.Type, schema.Format, schema.Properties, schema.Required) = (JsonSchemaType.String | orNull, "date-time", null, null);
        }
        else if (type == typeof(long))
        {
            // A custom converter reads long values, so the schema generator does not know their type.
            (schema.Type, schema.Format) = (JsonSchemaType.Integer | orNull, "int64");
        }
        else if (context.JsonPropertyInfo is null && Validator(type, context.ApplicationServices) is { } validator)
        {
            Apply(validator, schema.Properties ?? new Dictionary<string, IOpenApiSchema>(), name =>
                (schema.Required ??= new HashSet<string>()).Add(name));
        }

        return Task.CompletedTask;
    }

    /// <summary>Copies the rules of a query's validator into its parameters.</summary>
    public static void Apply(Type query, IServiceProvider services, IReadOnlyDictionary<string, IOpenApiParameter> parameters)
    {
        var schemas = parameters.Where(parameter => parameter.Value.Schema is not null)
            .ToDictionary(parameter => parameter.Key, parameter => parameter.Value.Schema!);
        Apply(Validator(query, services)!, schemas, name =>
        {
            if (parameters.TryGetValue(name, out var found) && found is OpenApiParameter parameter)
            {
                parameter.Required = true;
            }
        });
    }

    private static IValidator? Validator(Type type, IServiceProvider services) =>
        services.GetService(typeof(IValidator<>).MakeGenericType(type)) as IValidator;

    private static void Apply(IValidator validator, IDictionary<string, IOpenApiSchema> properties, Action<string> require)
    {
        foreach (var rule in validator.CreateDescriptor().Rules.Where(rule => !rule.HasCondition && !rule.HasAsyncCondition
            && rule.PropertyName is not null))
        {
            var name = JsonNamingPolicy.SnakeCaseLower.ConvertName(rule.PropertyName);
            if (!properties.TryGetValue(name, out var found) || found is not OpenApiSchema schema)
            {
                continue;
            }

            // A rule of RuleForEach belongs to the items schema of the array.
            var forItems = rule.GetType().Name.StartsWith("CollectionPropertyRule", StringComparison.Ordinal);
            var required = false;
            foreach (var component in rule.Components.Where(component => !component.HasCondition && !component.HasAsyncCondition))
            {
                if (forItems)
                {
                    Document(component.Validator, schema.Items as OpenApiSchema);
                }
                else if (component.Validator is INotNullValidator or INotEmptyValidator)
                {
                    required = true;
                }
                else
                {
                    Document(component.Validator, schema);
                }
            }

            // This comes last, because other rules may add null to the type or the enum.
            if (required)
            {
                schema.Type &= ~JsonSchemaType.Null;
                schema.Enum = schema.Enum?.Where(word => word is not null && !JsonNullSentinel.IsJsonNullSentinel(word)).ToList();
                require(name);
            }
        }
    }

    private static void Document(IPropertyValidator validator, OpenApiSchema? schema)
    {
        switch (validator)
        {
            case var _ when schema is null: break;
            case IDocumentedRule rule: rule.Document(schema); break;
            case INotNullValidator: schema.Type &= ~JsonSchemaType.Null; break;
            case IBetweenValidator between:
                (schema.Minimum, schema.Maximum) = (Number(between.From), between.To is double.MaxValue
                ? null : Number(between.To)); break;
            case IComparisonValidator { Comparison: Comparison.GreaterThanOrEqual } least:
                schema.Minimum = Number(
                least.ValueToCompare); break;
        }
    }

    private static string? Number(object? value) => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture);
}
