namespace Catalog.Api.Operations;

/// <summary>
/// Keeps the service listening for a second after SIGTERM. Meanwhile <c>/ready</c> is 503, and each answer of HTTP/1.1
/// closes its connection. Without this, Kestrel closes idle connections while clients send their next request on them.
/// </summary>
internal sealed class Draining(IHostApplicationLifetime lifetime) : IHostedLifecycleService
{
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(1);

    /// <summary>Middleware: tells the client to use the connection no more.</summary>
    public Task CloseConnection(HttpContext context, RequestDelegate next)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested && HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            context.Response.Headers.Connection = "close";
        }

        return next(context);
    }

    /// <inheritdoc />
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // Only a signal cancels the token before this call. A test that ends the host does not wait.
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            await Task.Delay(Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <inheritdoc />
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
