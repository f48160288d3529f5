using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Api.Http;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Catalog.Api.OpenApi;

/// <summary>The OpenAPI document, made from the routes, the comments of their contracts and the validators' rules.</summary>
internal static class OpenApiDocuments
{
    public static IServiceCollection AddOpenApiDocument(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        // Every GET answers HEAD too, which is said once and not at each path.
        options.ShouldInclude = description => description.HttpMethod != HttpMethods.Head;
        // What a JSON value or a time means and may be stands at the place, not in a schema that all such places share.
        options.CreateSchemaReferenceId = type => (Nullable.GetUnderlyingType(type.Type) ?? type.Type) is var plain && (plain == typeof(RawJson) || plain == typeof(Instant))
            ? null
            : OpenApiOptions.CreateDefaultSchemaReferenceId(type);
        options.AddDocumentTransformer(Describe);
        options.AddOperationTransformer(Secure);
        options.AddOperationTransformer(Parameters);
        options.AddOperationTransformer(Bodies);
        options.AddSchemaTransformer(ContractSchemas.Shape);
    });

    private static Task Describe(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken ct)
    {
        document.Info = new()
        {
            Title = "Catalog",
            Version = "v1",
            Description = """
                The system of record for data pipelines: pipelines, runs, stages, check results and lineage.

                - `id` is what an object itself is called, `pipeline_id`, `run_id` and so on what it refers to. A pipeline's id is the `name` in its body; read alone it shows both.
                - HEAD is answered on every path that takes GET, like GET and without a body.
                - A query parameter that a path does not know, or that is empty or given twice, is 422 with the nearest name that it knows. `pipeline_id` of checks and `namespace` of datasets may be empty.
                - Whole numbers may be written as JSON allows: `3`, `3.0` and `3e0` are the same, in bodies and queries.
                - Times are RFC 3339; without an offset they are UTC, and a date alone is its midnight. In a query also how long ago: a positive whole
                  number and `s`, `m`, `h`, `d` or `w`, such as `30m`, `24h`, `7d`, `2w`; nothing else is read as one.
                - Kept JSON is given back as sent. A number of more than 1,000 digits, or with an exponent beyond a double's, is 422: send it as text.
                - `NaN` and `Infinity` are not JSON: send null or text.
                - Status words of Airflow, dbt, Great Expectations, Soda, Prefect and Dagster are understood in any letter case, and answered as our own.
                - What is not well-formed HTTP, such as a path with `%00`, is refused by the server itself, with a status and no body.
                """,
            Contact = new() { Name = "The operator of this Catalog" },
            License = new() { Name = "Proprietary", Identifier = "LicenseRef-Proprietary" },
        };
        document.Servers = [new() { Url = "/" }];
        document.Tags = new HashSet<OpenApiTag>
        {
            new() { Name = "Operations", Description = "Probes and the build. No key is needed." },
            new() { Name = "Pipelines", Description = "What pipelines there are, in which versions." },
            new() { Name = "Runs", Description = "How every run and stage went." },
            new() { Name = "Checks", Description = "What is checked, and what every check found." },
            new() { Name = "Connections", Description = "The warehouses that checks run on." },
            new() { Name = "Lineage", Description = "Which datasets depend on which." },
            new() { Name = "Organizations", Description = "Whose data it is: plans, keys, and who did what." },
            new() { Name = "Billing", Description = "Paying for a plan, with Stripe." },
        };
        document.Components ??= new();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            ["api_key"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = "X-API-KEY" },
            ["bearer"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer" },
        };
        return Task.CompletedTask;
    }

    private static Task Secure(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken ct)
    {
        if (context.Description.ActionDescriptor.EndpointMetadata.OfType<IAuthorizeData>().FirstOrDefault()?.Policy is not { } scope)
        {
            operation.Security = [];
            return Task.CompletedTask;
        }

        operation.Description = scope == Scopes.Operator ? "Needs the operator's key." : $"Needs the scope `{scope}`.";
        operation.Security =
        [
            new() { [new OpenApiSecuritySchemeReference("api_key", context.Document)] = [] },
            new() { [new OpenApiSecuritySchemeReference("bearer", context.Document)] = [] },
        ];
        foreach (var (status, description) in new[]
                 {
                     ("401", "No valid key"), ("403", "The key lacks the scope, or the plan's ceiling is met"), ("414", "The address is too long"), ("431", "The headers are too large"),
                     ("429", "The plan's requests of this minute are used up; Retry-After says when the next may follow"),
                     ("503", "The database cannot serve now; send the same request again after Retry-After"),
                 })
        {
            operation.Responses ??= [];
            operation.Responses.TryAdd(status, new OpenApiResponse
            {
                Description = description,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/problem+json"] = new() { Schema = new OpenApiSchemaReference(nameof(ProblemBody), context.Document) },
                },
            });
        }

        return Task.CompletedTask;
    }

    private static async Task Parameters(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken ct)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
        {
            parameter.Name = JsonNamingPolicy.SnakeCaseLower.ConvertName(parameter.Name!);
            if (parameter.In == ParameterLocation.Path)
            {
                parameter.Description ??= "Percent-encoded, a slash as %2F.";
            }
        }

        foreach (var query in metadata.OfType<QueryMetadata>())
        {
            var parameters = (operation.Parameters ?? []).Where(parameter => parameter.In == ParameterLocation.Query).ToDictionary(parameter => parameter.Name!);
            var contract = await context.GetOrCreateSchemaAsync(query.Type, null, ct);
            foreach (var (name, property) in contract.Properties ?? new Dictionary<string, IOpenApiSchema>())
            {
                if (parameters.TryGetValue(name, out var found) && found is OpenApiParameter parameter)
                {
                    parameter.Description = property.Description;
                    parameter.Schema = property is OpenApiSchema { Type: { } type } schema ? new OpenApiSchema { Type = type & ~JsonSchemaType.Null, Format = schema.Format } : parameter.Schema;
                }
            }

            ContractSchemas.Apply(query.Type, context.ApplicationServices, parameters);
        }

        void Header(string name, string description) => (operation.Parameters ??= []).Add(new OpenApiParameter
        {
            Name = name,
            In = ParameterLocation.Header,
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        });

        if (metadata.OfType<TakesIdempotencyKeyMetadata>().Any())
        {
            Header("Idempotency-Key", "For a body that names no id: the same key and body again change nothing, another body is 422. 1 to 255 visible ASCII characters.");
        }

        if (metadata.OfType<TakesIfMatchMetadata>().Any())
        {
            Header("If-Match", "Only when the ETag is still this one, otherwise 412.");
        }

        if (metadata.OfType<HasETagMetadata>().Any())
        {
            Header("If-None-Match", "304 when the ETag is still this one.");
            if (operation.Responses?["200"] is OpenApiResponse answer)
            {
                (answer.Headers ??= new Dictionary<string, IOpenApiHeader>())["ETag"] = new OpenApiHeader
                {
                    Description = "Changes whenever anything that is answered does.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                };
            }
        }
    }

    private static async Task Bodies(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken ct)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        if (operation.RequestBody?.Content is not { } requests || !requests.TryGetValue("application/json", out var body))
        {
            return;
        }

        body.Example = Example(operation.OperationId!);
        if (metadata.OfType<TakesManyMetadata>().FirstOrDefault() is not { } many)
        {
            return;
        }

        // One of them, an array, or where there is such a thing an object that holds the array.
        var one = body.Schema!;
        body.Schema = new OpenApiSchema
        {
            AnyOf = [one, ArrayOf(one), .. Wrapped(many.Wrapper, one)],
        };
        foreach (var status in new[] { "200", "201" })
        {
            if (operation.Responses?.GetValueOrDefault(status) is OpenApiResponse { Content: { } content } && content.TryGetValue("application/json", out var answer))
            {
                var receipts = await context.GetOrCreateSchemaAsync(many.Receipts, null, ct);
                context.Document!.AddComponent(many.Receipts.Name, receipts);
                answer.Schema = new OpenApiSchema { AnyOf = [answer.Schema!, new OpenApiSchemaReference(many.Receipts.Name, context.Document)] };
            }
        }
    }

    private static OpenApiSchema ArrayOf(IOpenApiSchema one) => new() { Type = JsonSchemaType.Array, MaxItems = Limits.BulkItems, Items = one };

    private static OpenApiSchema[] Wrapped(string? field, IOpenApiSchema one) => field is null ? [] :
    [
        new()
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string> { field },
            AdditionalPropertiesAllowed = false,
            Properties = new Dictionary<string, IOpenApiSchema> { [field] = ArrayOf(one) },
        },
    ];

    private static JsonNode? Example(string operation)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"examples/{operation}.json");
        return stream is null ? null : JsonNode.Parse(stream);
    }
}

/// <summary>Says of a route that it takes many bodies at once.</summary>
/// <param name="Receipts">What it then answers.</param>
/// <param name="Wrapper">The field of an object that may hold the array; null when only a bare array is taken.</param>
internal sealed record TakesManyMetadata(Type Receipts, string? Wrapper);
