using System.Collections.Concurrent;
using System.Diagnostics;

namespace Catalog.Tests.Support;

/// <summary>
/// A copy of one of this project's npm packages outside the repository, installed from its lock file.
/// Without npm, tests are skipped on a developer's machine and fail in CI: see <see cref="Require"/>.
/// </summary>
/// <param name="folder">The package's folder, relative to Catalog.Tests.</param>
public abstract class NpmPackage(string folder) : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private static readonly string? Npm = FindNpm();

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("catalog-client-").FullName;

    /// <summary>Whether npm is installed.</summary>
    public static bool IsAvailable => Npm is not null;

    /// <summary>Test constructors call this, as <see cref="TestDatabase.Require"/>.</summary>
    public NpmPackage Require()
    {
        if (Npm is null)
        {
            const string Reason = "npm is missing: install Node.js 20.19 or newer.";
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") is null or "" or "false", Reason);
            Assert.Fail(Reason);
        }

        return this;
    }

    public async ValueTask InitializeAsync()
    {
        if (Npm is null)
        {
            return;
        }

        foreach (var file in System.IO.Directory.GetFiles(Path.Combine(ConventionTests.Root, "Catalog.Tests", folder)))
        {
            File.Copy(file, Path.Combine(Directory, Path.GetFileName(file)));
        }

        await Run(["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]);
    }

    /// <summary>
    /// Runs a script of the package. Unless it ends with exit code 0 in time, the test fails with the script's output.
    /// </summary>
    public Task Script(string name, params (string Name, string Value)[] environment) => Run(["run", name], environment);

    public ValueTask DisposeAsync()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private async Task Run(string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Npm!, arguments)
        {
            WorkingDirectory = Directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment.Append(("NO_COLOR", "1")))
        {
            start.Environment[name] = value;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        var output = new ConcurrentQueue<string>();
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => output.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => output.Enqueue(line.Data ?? "");
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        string ended;
        try
        {
            await process.WaitForExitAsync(limit.Token);
            ended = $"ended with {process.ExitCode}";
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            ended = $"did not end in {Limit.TotalSeconds} seconds";
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit(5000);
            }
        }

        Assert.True(ended == "ended with 0", $"npm {string.Join(' ', arguments)} {ended}:\n{string.Join('\n', output)}");
    }

    private static string? FindNpm()
    {
        var name = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }
}

/// <summary>The tools that read the OpenAPI document.</summary>
public sealed class ClientPackage() : NpmPackage("Contract/client");

/// <summary>Stripe's own library, which creates reference signatures.</summary>
public sealed class StripePackage() : NpmPackage("Billing/signer");

/// <summary>s3rver, a third-party object store.</summary>
public sealed class S3rverPackage() : NpmPackage("Backup/s3rver");

/// <summary>oidc-provider, a third-party OpenID provider.</summary>
public sealed class OidcProviderPackage() : NpmPackage("Authentication/provider");
