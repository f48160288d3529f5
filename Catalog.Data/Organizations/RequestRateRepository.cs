using Catalog.Data.Database;

namespace Catalog.Data.Organizations;

/// <summary>
/// Where replicas merge how often each organization has asked: one row holds what is left of a bucket that fills by a minute's allowance each
/// minute (a token bucket, as in RFC 2697).
/// </summary>
public sealed class RequestRateRepository(CatalogDatabase db)
{
    /// <summary>Takes what a replica has let through since it last did, and fills in what time has added.</summary>
    /// <param name="organization">Whose.</param>
    /// <param name="perMinute">The allowance, which is also the most that the bucket holds.</param>
    /// <param name="used">How many requests were let through.</param>
    /// <param name="now">The replica's clock. Of several the one that is ahead counts.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>What is left for all replicas together; below zero when they let through more than there was.</returns>
    public Task<double> Merge(string organization, int perMinute, long used, DateTimeOffset now, CancellationToken ct) => db.Write(organization, async session =>
    {
        const string Filled = """
            request_rates.tokens + (case when @now > request_rates.counted_ms then @now - request_rates.counted_ms else 0 end) * (@perMinute / 60000.0)
            """;
        const string Sql = $"""
            -- RequestRates.Merge
            insert into request_rates (organization_id, tokens, counted_ms)
            values (@organization, @perMinute - @used, @now)
            on conflict (organization_id) do update
            set tokens = (case when {Filled} > @perMinute then @perMinute else {Filled} end) - @used,
                counted_ms = case when @now > request_rates.counted_ms then @now else request_rates.counted_ms end
            returning tokens
            """;

        return await session.One<double>(Sql, new { organization, perMinute = (double)perMinute, used, now = now.ToUnixTimeMilliseconds() }, ct);
    }, ct);
}
