using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Api.Http;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Catalog.Api.OpenApi;

/// <summary>
/// Builds the OpenAPI document from the routes, the doc comments of the contracts and the rules of the validators.
/// </summary>
internal static class OpenApiDocuments
{
    private const string RateLimited =
        "The plan's requests per minute are used up; send the request again after the seconds in Retry-After";

    public static IServiceCollection AddOpenApiDocument(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        // Every GET route also accepts HEAD. The document's description says so once, so HEAD is left out here.
        options.ShouldInclude = description => description.HttpMethod != HttpMethods.Head;
        // The schemas of JSON values and times stay inline. Their description and type differ by field, so they cannot
        // share one component.
        options.CreateSchemaReferenceId = type => (Nullable.GetUnderlyingType(type.Type) ?? type.Type) is var plain
            && (plain == typeof(RawJson) || plain == typeof(Instant))
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
                The system of record for data pipelines: it stores pipelines, runs, stages, checks, check results and lineage.

                - `id` is the id of the object itself. `pipeline_id`, `run_id` and so on refer to other objects. The id of a pipeline is the `name` in its body; a read of one pipeline returns both.
                - Every path that supports GET also supports HEAD.
                - A query parameter that is unknown, empty or given twice is an error (422); the message names the nearest known parameter. Only `pipeline_id` of checks and `namespace` of datasets may be empty.
                - Whole numbers may use any JSON notation: `3`, `3.0` and `3e0` are the same number, in bodies and in queries.
                - Times are RFC 3339. A time without an offset is UTC; a date alone is midnight UTC. A query parameter also accepts a duration before
                  now: a positive whole number and `s`, `m`, `h`, `d` or `w`, such as `30m`, `24h`, `7d` or `2w`.
                - Free-form JSON is returned exactly as it was sent. A number with more than 1,000 digits, or outside the range of a double, is an error (422): send it as text.
                - `NaN` and `Infinity` are not JSON: send null or text.
                - Status words of Airflow, dbt, Great Expectations, Soda, Prefect and Dagster are accepted in any letter case, and returned as this API's own words.
                - A request that is not well-formed HTTP, such as a path with `%00`, is rejected by the web server with a status and without a body.
                """,
            Contact = new() { Name = "The operator of this Catalog" },
            License = new() { Name = "Proprietary", Identifier = "LicenseRef-Proprietary" },
        };
        document.Servers = [new() { Url = "/" }];
        document.Tags = new HashSet<OpenApiTag>
        {
            new() { Name = "Operations", Description = "Health probes and the build version. No key is needed." },
            new() { Name = "Overview", Description = "What needs attention now." },
            new() { Name = "Search", Description = "Objects by a part of their names." },
            new() { Name = "Pipelines", Description = "Registered pipelines and their versions." },
            new() { Name = "Runs", Description = "The status and history of runs and their stages." },
            new() { Name = "Checks", Description = "Data quality checks and their results." },
            new() { Name = "Executions", Description = "Executions of checks against their warehouses." },
            new() { Name = "Connections", Description = "Connections to the warehouses that checks run on." },
            new() { Name = "Lineage", Description = "The dependencies between datasets." },
            new() { Name = "Organizations", Description = "Organizations, their plans, API keys, retention and audit log." },
            new() { Name = "Billing", Description = "Subscriptions to a plan, through Stripe." },
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
        if (operation.Responses?.TryGetValue("429", out var refused) == true)
        {
            refused.Description = "The plan's requests per minute are used up (`rate_limited`), or too many executions wait "
                + "(`execution_queue_full`); send the request again after the seconds in Retry-After";
        }

        foreach (var (status, description) in new[]
                 {
                     ("401", "The key is missing or not valid"), ("403", "The key lacks the scope, or a limit of the plan is reached"),
                     ("414", "The path and query are too long"), ("431", "The headers are too large"),
                     ("429", RateLimited),
                     ("503", "The database is not available; send the same request again after the seconds in Retry-After"),
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
                parameter.Description ??= "Percent-encode the id; a slash becomes %2F.";
            }
        }

        foreach (var query in metadata.OfType<QueryMetadata>())
        {
            var parameters = (operation.Parameters ?? []).Where(parameter => parameter.In == ParameterLocation.Query)
                .ToDictionary(parameter => parameter.Name!);
            var contract = await context.GetOrCreateSchemaAsync(query.Type, null, ct);
            foreach (var (name, property) in contract.Properties ?? new Dictionary<string, IOpenApiSchema>())
            {
                if (parameters.TryGetValue(name, out var found) && found is OpenApiParameter parameter)
                {
                    parameter.Description = property.Description;
                    parameter.Schema = property is OpenApiSchema { Type: { } type } schema
                        ? new OpenApiSchema { Type = type & ~JsonSchemaType.Null, Format = schema.Format } : parameter.Schema;
                }
            }

            ContractSchemas.Apply(query.Type, context.ApplicationServices, parameters);
        }

        Headers(operation, metadata);
    }

    private static void Headers(OpenApiOperation operation, IList<object> metadata)
    {
        void Header(string name, string description) => (operation.Parameters ??= []).Add(new OpenApiParameter
        {
            Name = name,
            In = ParameterLocation.Header,
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        });

        if (metadata.OfType<AcceptsIdempotencyKeyMetadata>().Any())
        {
            Header("Idempotency-Key",
                "For a body without an id. A repeated request with the same key and body changes nothing; the same key with another "
                    + "body is 422. 1 to 255 visible ASCII characters.");
        }

        if (metadata.OfType<AcceptsWaitMetadata>().Any())
        {
            Header("Prefer",
                "wait=N: wait up to N seconds (at most 60) for the outcome. The response header Preference-Applied contains the seconds "
                    + "that were used.");
        }

        if (metadata.OfType<AcceptsIfMatchMetadata>().Any())
        {
            Header("If-Match", "Change the object only if its ETag is still this one; otherwise the response is 412.");
        }

        if (metadata.OfType<HasETagMetadata>().Any())
        {
            Header("If-None-Match", "The response is 304 without a body if the ETag is still this one.");
            if (operation.Responses?["200"] is OpenApiResponse answer)
            {
                (answer.Headers ??= new Dictionary<string, IOpenApiHeader>())["ETag"] = new OpenApiHeader
                {
                    Description = "Changes whenever any field of the response changes.",
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
        if (metadata.OfType<BulkMetadata>().FirstOrDefault() is not { } many)
        {
            return;
        }

        // The body is one item, an array of items, or (on some routes) an object whose field contains the array.
        var one = body.Schema!;
        body.Schema = new OpenApiSchema
        {
            AnyOf = [one, ArrayOf(one), .. Wrapped(many.Wrapper, one)],
        };
        foreach (var status in new[] { "200", "201" })
        {
            if (operation.Responses?.GetValueOrDefault(status) is OpenApiResponse { Content: { } content }
                && content.TryGetValue("application/json", out var answer))
            {
                var receipts = await context.GetOrCreateSchemaAsync(many.Receipts, null, ct);
                context.Document!.AddComponent(many.Receipts.Name, receipts);
                answer.Schema = new OpenApiSchema
                {
                    AnyOf = [answer.Schema!, new OpenApiSchemaReference(many.Receipts.Name, context.Document)]
                };
            }
        }
    }

    private static OpenApiSchema ArrayOf(IOpenApiSchema one) =>
        new() { Type = JsonSchemaType.Array, MaxItems = RequestLimits.BulkItems, Items = one };

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

/// <summary>Marks a route that accepts one item or many items in a request, for the OpenAPI document.</summary>
/// <param name="Receipts">The type of the response to a request with many items.</param>
/// <param name="Wrapper">
/// The field of the object that may contain the array; null when only a bare array is accepted.
/// </param>
internal sealed record BulkMetadata(Type Receipts, string? Wrapper);
