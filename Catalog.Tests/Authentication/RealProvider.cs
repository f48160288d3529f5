using System.Diagnostics;
using Catalog.Tests.Support;

namespace Catalog.Tests.Authentication;

/// <summary>A certified third-party OpenID provider as a process. Without npm its tests are skipped.</summary>
public sealed class RealProvider : IAsyncLifetime
{
    private readonly OidcProviderPackage _package = new();
    private Process? _process;
    private string? _authority;

    /// <summary>Its issuer.</summary>
    public string Authority
    {
        get
        {
            _package.Require();
            return _authority!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        await _package.InitializeAsync();
        if (!NpmPackage.IsAvailable)
        {
            return;
        }

        // The provider exits when its standard input closes, so also when this process is killed.
        _process = Process.Start(new ProcessStartInfo("node", [Path.Combine(_package.Directory, "server.mjs")])
        { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = _process.StandardError.ReadToEndAsync(CancellationToken.None);
        _authority = await _process.StandardOutput.ReadLineAsync(CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(_authority is not null, _authority is null ? await errors : "");
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
            _process.Dispose();
        }

        await _package.DisposeAsync();
    }
}
