using System.Security.Cryptography;
using Catalog.Api.Http;
using Scalar.AspNetCore;

namespace Catalog.Api.OpenApi;

/// <summary>
/// The API reference for people at <c>/docs</c>. It shows the OpenAPI document and loads nothing from another host.
/// </summary>
internal static class ApiReference
{
    public static void MapApiReference(this IEndpointRouteBuilder routes) =>
        routes.MapScalarApiReference("/docs", (options, context) =>
        {
            var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
            // The reference writes its styles at run time, so inline styles are allowed; scripts are not.
            context.Response.Headers.ContentSecurityPolicy =
                $"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
                + "font-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
            options.WithTitle("Catalog API").WithNonce(nonce).AddDocument("v1")
                .DisableDefaultFonts().DisableTelemetry().DisableAgent().DisableMcp().WithProxy(null!);
            options.ShowDeveloperTools = DeveloperToolsVisibility.Never;
            options.HideClientButton = true;
        }).WithMetadata(new AcceptsAnyQuery()).ExcludeFromDescription();
}
