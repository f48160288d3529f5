using System.Diagnostics.Metrics;
using System.Net;
using Catalog.Api.Background;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Api.Http;

/// <summary>
/// Warnings that an outage, or a client with a wrong key, would otherwise log with every request. The first occurrence
/// is logged at once. Further occurrences are logged as a count once a minute.
/// </summary>
internal sealed partial class RepeatedWarnings(DatabaseSettings settings, IMeterFactory meters, ILogger<RepeatedWarnings> log)
    : IRecurringWork
{
    // Clients can use many addresses, so the number of addresses that are counted separately is limited.
    private readonly RepeatCounter<string> _addresses = new(1000, "further addresses");
    private readonly RepeatCounter<Unavailability> _outages = new(int.MaxValue, default);
    private readonly RepeatCounter<string> _providers = new(10, "further providers");
    private readonly Counter<long> _refused = meters.Create("Catalog")
        .CreateCounter<long>("catalog.keys.refused", "{request}", "Requests with an invalid key or token");
    private readonly Counter<long> _unserved =
        meters.Create("Catalog")
            .CreateCounter<long>("catalog.requests.unserved", "{request}", "Requests that the database could not serve");

    public string Name => "count repeated warnings";

    public TimeSpan Pause => TimeSpan.FromMinutes(1);

    public bool RunsAtStop => true;

    /// <summary>Counts a request with an invalid key or token.</summary>
    public void InvalidKey(IPAddress? from)
    {
        var address = from is null ? "an unknown address" : $"{(from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from)}";
        _refused.Add(1);
        LogWrongKey(address);
        if (_addresses.Add(address))
        {
            LogFirstWrongKey(address);
        }
    }

    /// <summary>Counts a request that the database could not serve.</summary>
    public void DatabaseUnavailable(DatabaseUnavailableException failure)
    {
        _unserved.Add(1, new KeyValuePair<string, object?>("reason", failure.Reason.ToString()));
        if (_outages.Add(failure.Reason))
        {
            var cause = failure.InnerException is { } inner ? DatabaseFactory.DescribeFailure(settings, inner) ?? inner.Message : null;
            LogUnserved(string.IsNullOrEmpty(cause) ? SchemaProbe.Describe(failure.Reason)
                : $"{SchemaProbe.Describe(failure.Reason)} Cause: {cause}");
        }
    }

    /// <summary>Counts an attempt to sign in at an OpenID provider that does not answer.</summary>
    public void ProviderUnavailable(string authority, string cause)
    {
        if (_providers.Add(authority))
        {
            LogProvider(authority, cause);
        }
    }

    public Task Run(CancellationToken ct)
    {
        // The last run, at stop, gets a token that cannot be cancelled.
        var last = !ct.CanBeCanceled;
        foreach (var (address, more) in _addresses.TakeRepeats(last))
        {
            LogMoreWrongKeys(more, address);
        }

        foreach (var (reason, more) in _outages.TakeRepeats(last))
        {
            LogMoreUnserved(more, reason);
        }

        foreach (var (authority, more) in _providers.TakeRepeats(last))
        {
            LogMoreOfProvider(authority, more);
        }

        return Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sign-in fails, because the provider {Authority} does not answer: {Cause}")]
    private partial void LogProvider(string authority, string cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Authority} did not answer {Count} more attempts to sign in")]
    private partial void LogMoreOfProvider(string authority, long count);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Invalid key or token from {Address}")]
    private partial void LogWrongKey(string address);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Invalid key or token from {Address}; further ones are logged as a count once a minute")]
    private partial void LogFirstWrongKey(string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} more requests with an invalid key or token from {Address}")]
    private partial void LogMoreWrongKeys(long count, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database cannot serve requests: {Reason}")]
    private partial void LogUnserved(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database could not serve {Count} more requests: {Reason}")]
    private partial void LogMoreUnserved(long count, Unavailability reason);
}
