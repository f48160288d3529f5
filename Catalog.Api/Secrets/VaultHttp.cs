using System.Net;
using System.Text.Json;
using Catalog.Data.Warehouses;
using Microsoft.Extensions.Http.Resilience;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Catalog.Api.Secrets;

/// <summary>
/// Sends requests to Vault. Reads are repeated after a temporary failure. Sign-ins are not repeated, because a secret
/// id may be valid only once. Redirects are followed only to the same address, because each request contains the token.
/// </summary>
internal sealed class VaultHttp(HttpClient client)
{
    private const int MaxResponseBytes = 1024 * 1024;

    public static void Add(IServiceCollection services, VaultSettings settings)
    {
        var client = services.AddHttpClient<VaultHttp>(http =>
        {
            http.BaseAddress = new Uri(settings.Address, "v1/");
            http.Timeout = settings.Timeout;
            http.DefaultRequestHeaders.Add("X-Vault-Request", "true");
            if (settings.Namespace is { } name)
            {
                http.DefaultRequestHeaders.Add("X-Vault-Namespace", name);
            }
        })
        // The factory's log contains addresses, which are paths of secrets.
        .RemoveAllLoggers()
        .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = settings.Timeout / 2,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
        client.AddStandardResilienceHandler(options =>
        {
            options.TotalRequestTimeout.Timeout = settings.Timeout;
            options.AttemptTimeout.Timeout = settings.Timeout / 2;
            options.Retry.Delay = TimeSpan.FromMilliseconds(100);
            // The status 503 means that Vault is sealed. A retry would not help.
            options.Retry.ShouldHandle = arguments => ValueTask.FromResult(
                arguments.Context.GetRequestMessage()?.Method == HttpMethod.Get
                && arguments.Outcome.Exception is not HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded }
                && arguments.Outcome.Result?.StatusCode != HttpStatusCode.ServiceUnavailable
                && HttpClientResiliencePredicates.IsTransient(arguments.Outcome));
            options.CircuitBreaker.FailureRatio = 0.5;
            options.CircuitBreaker.SamplingDuration = TimeSpan.FromMinutes(1);
        });
        // This handler is inside the resilience handler, so that the time limits cover the complete response and not
        // only the headers.
        client.AddHttpMessageHandler(() => new BufferedResponses());
    }

    /// <summary>Sends a request and reads the answer.</summary>
    /// <param name="path">The path below <c>v1/</c>.</param>
    /// <param name="token">The token of the service; null for a sign-in.</param>
    /// <param name="body">The body of a POST request; null for a GET request.</param>
    /// <param name="ct">Cancels the request.</param>
    /// <returns>The status, and the body if it is a JSON object.</returns>
    /// <exception cref="WarehouseException">Vault did not answer as expected.</exception>
    public async Task<(HttpStatusCode Status, JsonElement? Body)> Send(string path, string? token, object? body, CancellationToken ct)
    {
        try
        {
            var address = new Uri(client.BaseAddress!, path);
            for (var redirects = 0; redirects < 3; redirects++)
            {
                using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, address);
                request.Content = body is null ? null : JsonContent.Create(body);
                if (token is not null)
                {
                    request.Headers.Add("X-Vault-Token", token);
                }

                using var response = await client.SendAsync(request, ct);
                if (response.StatusCode is not (HttpStatusCode.Moved or HttpStatusCode.Found or HttpStatusCode.TemporaryRedirect
                    or HttpStatusCode.PermanentRedirect) || response.Headers.Location is not { } location)
                {
                    return (response.StatusCode, Parse(await response.Content.ReadAsByteArrayAsync(ct)));
                }

                address = new Uri(address, location);
                if (address.GetLeftPart(UriPartial.Authority) != client.BaseAddress!.GetLeftPart(UriPartial.Authority))
                {
                    throw Unavailable("Vault redirects to another address. The operator must set the address of the active server.");
                }
            }

            throw Unavailable("Vault sent too many redirects. The operator must check the address of Vault.");
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw Unavailable("The answer of Vault is larger than 1 MiB. Use a smaller secret.");
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            throw Unavailable("The TLS certificate of Vault is not valid. The operator must correct it.");
        }
        catch (Exception exception) when (exception is HttpRequestException or BrokenCircuitException)
        {
            throw Unavailable("Vault is unreachable. Try again, or ask the operator to check it.");
        }
        catch (Exception exception) when (exception is TimeoutRejectedException
            || (exception is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw Unavailable("Vault is slow: it did not answer within the time limit. Try again, or ask the operator to check it.");
        }
    }

    /// <summary>The error of a secret that cannot be read.</summary>
    public static WarehouseException Unavailable(string message) => new(WarehouseProblem.SecretUnavailable, message);

    private static JsonElement? Parse(byte[] body)
    {
        try
        {
            var json = JsonElement.Parse(body);
            return json.ValueKind == JsonValueKind.Object ? json : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed class BufferedResponses : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            await response.Content.LoadIntoBufferAsync(MaxResponseBytes, cancellationToken);
            return response;
        }
    }
}
