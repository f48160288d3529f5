using System.Diagnostics;
using System.Text.RegularExpressions;
using Catalog.Api.Operations;

namespace Catalog.Tests.Demo;

/// <summary>The service with <c>--demo</c> as a process, with a folder of its own for temporary files.</summary>
public sealed partial class DemoProcess : IDisposable, IAsyncLifetime
{
    private readonly Process _process;
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-demo-test-").FullName;
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _lines = [];

    public DemoProcess()
        : this([])
    {
    }

    internal DemoProcess(params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Health).Assembly.Location, "--demo", "--urls", "http://127.0.0.1:0"])
        {
            WorkingDirectory = Directory.CreateDirectory(Path.Combine(_directory, "work")).FullName,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["TMPDIR"] = start.Environment["TMP"] = Directory.CreateDirectory(Path.Combine(_directory, "temporary")).FullName;
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Its address, once it is ready.</summary>
    public Uri Ready => _address.Task.GetAwaiter().GetResult();

    /// <summary>What it has written.</summary>
    public string Output
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <summary>What it has left in its folders, but for files of the runtime.</summary>
    public IReadOnlyList<string> Files =>
    [
        .. Directory.EnumerateDirectories(_directory).SelectMany(Directory.EnumerateFileSystemEntries)
            .Where(path => Path.GetFileName(path).StartsWith("catalog", StringComparison.Ordinal)),
    ];

    public async ValueTask InitializeAsync() => await Address(TestContext.Current.CancellationToken);

    /// <summary>Waits until it is ready.</summary>
    public Task<Uri> Address(CancellationToken ct) => _address.Task.WaitAsync(TimeSpan.FromMinutes(3), ct);

    /// <summary>Waits for its end.</summary>
    public async Task<int> Exit(CancellationToken ct)
    {
        await _process.WaitForExitAsync(ct).WaitAsync(TimeSpan.FromMinutes(3), ct);
        return _process.ExitCode;
    }

    /// <summary>Tells it to stop.</summary>
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            _address.TrySetException(new InvalidOperationException($"The demo has ended:\n{Output}"));
            return;
        }

        lock (_lines)
        {
            _lines.Add(line);
        }

        if (Announcement().Match(line) is { Success: true } match)
        {
            _address.TrySetResult(new Uri(match.Groups["address"].Value));
        }
    }

    [GeneratedRegex("^The demo is at (?<address>http://[^/]+)/ui: the development key signs in with one click")]
    private static partial Regex Announcement();
}
