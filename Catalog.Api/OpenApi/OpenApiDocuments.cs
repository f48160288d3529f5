using Catalog.Api.Http;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Catalog.Api.OpenApi;

/// <summary>The OpenAPI document, made from the routes and the comments of their contracts.</summary>
internal static class OpenApiDocuments
{
    public static IServiceCollection AddOpenApiDocument(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer(Describe);
        options.AddOperationTransformer(Secure);
        options.AddSchemaTransformer(Shape);
    });

    private static Task Describe(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken ct)
    {
        document.Info = new()
        {
            Title = "Catalog",
            Version = "v1",
            Description = "The system of record for data pipelines: pipelines, runs, stages, check results and lineage.",
        };
        document.Servers = [];
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
            return Task.CompletedTask;
        }

        operation.Description = $"Needs the scope `{scope}`.";
        operation.Security =
        [
            new() { [new OpenApiSecuritySchemeReference("api_key", context.Document)] = [] },
            new() { [new OpenApiSecuritySchemeReference("bearer", context.Document)] = [] },
        ];
        foreach (var status in new[] { "401", "403", "503" })
        {
            operation.Responses ??= [];
            operation.Responses.TryAdd(status, new OpenApiResponse
            {
                Description = status switch { "401" => "No valid key", "403" => "The key lacks the scope", _ => "The database cannot serve now; retry" },
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/problem+json"] = new() { Schema = new OpenApiSchemaReference(nameof(ProblemBody), context.Document) },
                },
            });
        }

        return Task.CompletedTask;
    }

    private static Task Shape(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken ct)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        if (type == typeof(RawJson))
        {
            (schema.Type, schema.Properties, schema.Required) = (null, null, null);
        }
        else if (type == typeof(Instant))
        {
            (schema.Type, schema.Format, schema.Properties, schema.Required) = (JsonSchemaType.String, "date-time", null, null);
        }

        return Task.CompletedTask;
    }
}
