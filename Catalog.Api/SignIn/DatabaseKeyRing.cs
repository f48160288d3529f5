using System.Collections.Immutable;
using System.Xml.Linq;
using Catalog.Api.Background;
using Catalog.Data;
using Catalog.Data.Connections;
using Catalog.Data.Database;
using Catalog.Data.Organizations;
using Catalog.Data.SignIn;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Catalog.Api.SignIn;

/// <summary>
/// Keeps the framework's data-protection keys in the database, encrypted, so that a cookie of one replica is valid on
/// all. Without a secret key they are kept in memory: sessions then end with the process.
/// </summary>
/// <remarks>
/// The framework reads the keys synchronously, also during requests. In the first two minutes, each cookie with an
/// unknown key makes it read the keys again. Therefore it reads a copy in memory, which is refreshed in the background.
/// </remarks>
internal sealed partial class DatabaseKeyRing(
    DataProtectionKeyRepository keys, SecretBox box, TimeProvider time, ILogger<DatabaseKeyRing> log) : IXmlRepository, IRecurringWork
{
    private static readonly TimeSpan AfterStart = TimeSpan.FromMinutes(2);

    private readonly long _start = time.GetTimestamp();
    private readonly Lock _lock = new();

    // Null until the keys were read for the first time. No new key must be made before that, because the database may
    // already have a key.
    private ImmutableList<XElement>? _elements = box.CanSeal ? null : [];
    private DatabaseUnavailableException? _failure;

    public string Name => "data-protection keys";

    /// <summary>
    /// The time between two reads. It is short soon after the start, because other replicas may create their first key
    /// then. Later keys are used two days after they are created.
    /// </summary>
    public TimeSpan Pause =>
        _elements is null || time.GetElapsedTime(_start) < AfterStart ? TimeSpan.FromSeconds(5) : TimeSpan.FromHours(1);

    /// <summary>
    /// Reads the keys, once before the service listens, and then in the background. Until the database could be read
    /// once, pages answer 503.
    /// </summary>
    public async Task Run(CancellationToken ct)
    {
        if (!box.CanSeal)
        {
            return;
        }

        try
        {
            var stored = await keys.List(ct);
            lock (_lock)
            {
                // A key that was sealed with an earlier secret key cannot be read. The sessions of that key have ended.
                // A key that was stored during this read stays.
                _elements =
                [
                    .. stored.Select(key => box.Open(Organization.Default, DataProtectionKey.Prefix + key.Id, key.Sealed)).OfType<string>()
                        .Select(XElement.Parse)
                        .UnionBy(_elements ?? [], element => (string?)element.Attribute("id")),
                ];
            }
        }
        catch (DatabaseUnavailableException failure)
        {
            // The readiness check logs the reason.
            _failure = failure;
        }
    }

    public IReadOnlyCollection<XElement> GetAllElements() =>
        _elements ?? throw new DatabaseUnavailableException(_failure!.Reason, _failure);

    public void StoreElement(XElement element, string friendlyName)
    {
        if (box.CanSeal)
        {
            var xml = element.ToString(SaveOptions.DisableFormatting);
            var key = new DataProtectionKey
            {
                Id = friendlyName,
                Sealed = box.Seal(Organization.Default, DataProtectionKey.Prefix + friendlyName, xml),
            };
            // The framework calls this from synchronous code: at the start, and then about every 90 days in the
            // background.
            keys.Add(key, time.Now(), CancellationToken.None).GetAwaiter().GetResult();
        }
        else
        {
            LogInMemory();
        }

        lock (_lock)
        {
            _elements = (_elements ?? []).Add(element);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Sessions of the pages end when this process ends, and are not valid on other "
        + "replicas, because no secret key is set. Set DATAXPIPE_SECRET_KEY.")]
    private partial void LogInMemory();
}
