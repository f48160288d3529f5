using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text.RegularExpressions;
using Catalog.Tests.Support;

[assembly: AssemblyFixture(typeof(SecretSearchFixture))]

namespace Catalog.Tests.Support;

/// <summary>
/// Searches for secrets in everything that the service and the console write: answers, log lines, console output and
/// tags of metrics. Each secret in the tests contains <see cref="Word"/>; keys and tokens are known by their form.
/// </summary>
public sealed partial class SecretSearch
{
    /// <summary>A part of every secret in the tests. No other text that a test sends contains it.</summary>
    public const string Word = "c4nary";

    /// <summary>A value of DATAXPIPE_SECRET_KEY: 32 bytes in Base64.</summary>
    public const string SecretKey = $"{Word}{Word}{Word}{Word}{Word}{Word}{Word}A=";

    private static readonly SearchValues<string> Words = SearchValues.Create([Word], StringComparison.OrdinalIgnoreCase);

    // The word in Base64, for each position in a group of three bytes, and the start of the second part of an access token.
    private static readonly SearchValues<string> Encoded =
        SearchValues.Create(["YzRuYXJ5", "M0bmFye", "jNG5hcn", ".eyJ"], StringComparison.Ordinal);

    private readonly ConcurrentQueue<string> _hits = new();
    private long _texts;
    private long _characters;

    /// <summary>The search in the whole suite.</summary>
    public static SecretSearch Suite { get; } = new();

    /// <summary>Where a secret was found, with the text.</summary>
    public IReadOnlyCollection<string> Hits => _hits;

    /// <summary>The number of texts that were searched.</summary>
    public long Texts => Interlocked.Read(ref _texts);

    /// <summary>The length of these texts.</summary>
    public long Characters => Interlocked.Read(ref _characters);

    /// <summary>Whether the text contains a secret.</summary>
    public static bool IsIn(string text, bool mayContainKey = false) =>
        text.AsSpan().ContainsAny(Words) || text.AsSpan().ContainsAny(Encoded) || (!mayContainKey && ApiKey().IsMatch(text));

    /// <summary>Searches a text and records a hit.</summary>
    /// <param name="place">Where the text was found.</param>
    /// <param name="text">The text.</param>
    /// <param name="mayContainKey">Whether an API key in the text is no hit.</param>
    /// <returns>Whether the text contains a secret.</returns>
    public bool Search(string place, string text, bool mayContainKey = false)
    {
        Interlocked.Increment(ref _texts);
        Interlocked.Add(ref _characters, text.Length);
        if (!IsIn(text, mayContainKey))
        {
            return false;
        }

        _hits.Enqueue($"{place}: {text}");
        return true;
    }

    /// <summary>Searches a text and fails the running test on a hit.</summary>
    public void Require(string place, string text, bool mayContainKey = false) =>
        Assert.False(Search(place, text, mayContainKey), $"{place} contains a secret: {text}");

    /// <summary>Searches the tags of all measurements of these meters until it is disposed.</summary>
    public MeterListener Listen(Func<Meter, bool> isMeant)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (isMeant(instrument.Meter))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((instrument, _, tags, _) => SearchTags(instrument, tags));
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => SearchTags(instrument, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => SearchTags(instrument, tags));
        listener.Start();
        return listener;
    }

    private void SearchTags(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var tag in tags)
        {
            if (tag.Value is not (null or int or long or bool))
            {
                Search($"Tag {tag.Key} of {instrument.Name}", $"{tag.Value}");
            }
        }
    }

    // The 12 characters after dxp_ are the public id of a key. The 13th character is a part of the secret.
    [GeneratedRegex("(?<![0-9A-Za-z_-])dxp_[0-9A-Za-z]{13}", RegexOptions.CultureInvariant)]
    private static partial Regex ApiKey();
}

/// <summary>Searches each answer before the test reads it.</summary>
/// <param name="canaries">The search.</param>
/// <param name="cookies">The cookies of the client; null: cookies of its own.</param>
public sealed partial class SecretSearchHandler(SecretSearch canaries, CookieContainer? cookies = null) : DelegatingHandler(
    new SocketsHttpHandler { AllowAutoRedirect = false, MaxConnectionsPerServer = 128, CookieContainer = cookies ?? new() })
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var answer = await base.SendAsync(request, cancellationToken);
        await answer.Content.LoadIntoBufferAsync(cancellationToken);
        var place = $"The answer to {request.Method} {request.RequestUri!.AbsolutePath}";
        canaries.Require(place, $"{answer.Headers}{answer.Content.Headers}");
        canaries.Require(place, await answer.Content.ReadAsStringAsync(cancellationToken),
            mayContainKey: request.Method == HttpMethod.Post && ShowsKey().IsMatch(request.RequestUri.AbsolutePath));
        return answer;
    }

    // These routes show a new API key once.
    [GeneratedRegex(@"^((/api/v1)?/organizations(/?|/[^/]+/api-keys/?|/me/api-keys/[^/]+/rotate/?)|/ui/keys(/[^/]+/rotate)?)\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex ShowsKey();
}

/// <summary>Listens to the metrics of the whole suite, and fails the run if a secret was found anywhere.</summary>
public sealed class SecretSearchFixture : IDisposable
{
    private readonly MeterListener _metrics = SecretSearch.Suite.Listen(meter => meter.Name == "Catalog"
        || meter.Name.StartsWith("Npgsql", StringComparison.Ordinal)
        || meter.Name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal));

    public void Dispose()
    {
        _metrics.RecordObservableInstruments();
        _metrics.Dispose();
        var (texts, characters) = (SecretSearch.Suite.Texts, SecretSearch.Suite.Characters);
        TestContext.Current.SendDiagnosticMessage($"Searched for secrets: {texts} texts, {characters} characters.");
        Assert.True(SecretSearch.Suite.Hits.Count == 0, "A secret was found in:\n" + string.Join("\n", SecretSearch.Suite.Hits.Take(20)));
    }
}
