using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Support;

/// <summary>Searches all log lines, with exceptions, for secrets, and keeps those from level information on.</summary>
public sealed class LogLines(SecretSearch canaries) : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();
    private readonly SecretSearch _canaries = canaries;
    private int _count;

    /// <summary>The number of lines of all levels.</summary>
    public int Count => _count;

    public IEnumerable<string> At(LogLevel level) => _lines.Where(line => line.Level >= level).Select(line => line.Text);

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose() => GC.SuppressFinalize(this);

    private sealed class Logger(LogLines lines, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            var text = formatter(state, exception) + (exception is null ? "" : "\n" + exception);
            Interlocked.Increment(ref lines._count);
            lines._canaries.Search($"A line of level {logLevel} by {category}", text);
            if (logLevel >= LogLevel.Information)
            {
                lines._lines.Enqueue((logLevel, text));
            }
        }
    }
}
