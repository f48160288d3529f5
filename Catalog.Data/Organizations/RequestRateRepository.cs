using Catalog.Data.Database;

namespace Catalog.Data.Organizations;

/// <summary>
/// The request counts that the replicas share: one row per organization with the tokens that are left in its bucket. A
/// bucket is refilled with the allowance of one minute each minute (a token bucket, as in RFC 2697).
/// </summary>
public sealed class RequestRateRepository(CatalogDatabase db)
{
    /// <summary>
    /// Refills the bucket for the time since the last merge of any replica. Then takes out one token for each request
    /// that the calling replica has accepted since its own last merge.
    /// </summary>
    /// <param name="organization">The id of the organization.</param>
    /// <param name="perMinute">The allowed requests per minute, which is also the size of the bucket.</param>
    /// <param name="used">The number of accepted requests.</param>
    /// <param name="now">
    /// The current time of the replica. If the clocks of replicas differ, the latest time is used.
    /// </param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>
    /// The tokens that are left for all replicas together. The number is negative when the replicas have accepted more
    /// requests than allowed.
    /// </returns>
    public Task<double> Merge(string organization, int perMinute, long used, DateTimeOffset now, CancellationToken ct) =>
        db.Write(organization, async session =>
    {
        const string Filled = """
            request_rates.tokens + (case when @now > request_rates.counted_ms then @now - request_rates.counted_ms
                else 0 end) * (@perMinute / 60000.0)
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

        return await session.One<double>(Sql, new { organization, perMinute = (double)perMinute, used, now = now.ToUnixTimeMilliseconds() },
            ct);
    }, ct);
}
