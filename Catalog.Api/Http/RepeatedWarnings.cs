using System.Diagnostics.Metrics;
using System.Net;
using Catalog.Api.Background;
using Catalog.Data.Database;

namespace Catalog.Api.Http;

/// <summary>
/// Warnings that an outage, or a client with a wrong key, would otherwise repeat with every request: each is logged when it comes
/// first, and then as a count once a minute.
/// </summary>
internal sealed partial class RepeatedWarnings(DatabaseSettings settings, IMeterFactory meters, ILogger<RepeatedWarnings> log) : IRecurringWork
{
    // Addresses are the client's to choose where there are many.
    private readonly Tally<string> _addresses = new(1000, "further addresses");
    private readonly Tally<Unavailability> _outages = new(int.MaxValue, default);
    private readonly Counter<long> _refused = meters.Create("Catalog").CreateCounter<long>("catalog.keys.refused", "{request}", "Requests with a key or token that is not taken");
    private readonly Counter<long> _unserved =
        meters.Create("Catalog").CreateCounter<long>("catalog.requests.unserved", "{request}", "Requests that the database could not serve");

    public string Name => "count repeated warnings";

    public TimeSpan Pause => TimeSpan.FromMinutes(1);

    public bool RunsAtStop => true;

    /// <summary>A request came with a key or a token that is not taken.</summary>
    public void WrongKey(IPAddress? from)
    {
        var address = from is null ? "an unknown address" : $"{(from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from)}";
        _refused.Add(1);
        LogWrongKey(address);
        if (_addresses.Add(address))
        {
            LogFirstWrongKey(address);
        }
    }

    /// <summary>The database could not serve a request.</summary>
    public void Unserved(DatabaseUnavailableException failure)
    {
        _unserved.Add(1, new KeyValuePair<string, object?>("reason", failure.Reason.ToString()));
        if (_outages.Add(failure.Reason))
        {
            LogUnserved(failure.Reason, failure.InnerException is { } cause ? Databases.WhyUnreachable(settings, cause) ?? cause.Message : "");
        }
    }

    public Task Run(CancellationToken ct)
    {
        // The last round is the one that nothing can cancel any more.
        var last = !ct.CanBeCanceled;
        foreach (var (address, more) in _addresses.Round(last))
        {
            LogMoreWrongKeys(more, address);
        }

        foreach (var (reason, more) in _outages.Round(last))
        {
            LogMoreUnserved(more, reason);
        }

        return Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "A key or token that is not taken, from {Address}")]
    private partial void LogWrongKey(string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A key or token that is not taken came from {Address}; further ones are counted once a minute")]
    private partial void LogFirstWrongKey(string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} more requests with a key or token that is not taken came from {Address}")]
    private partial void LogMoreWrongKeys(long count, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database cannot serve: {Reason}: {Cause}")]
    private partial void LogUnserved(Unavailability reason, string cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database could not serve {Count} more requests: {Reason}")]
    private partial void LogMoreUnserved(long count, Unavailability reason);
}
