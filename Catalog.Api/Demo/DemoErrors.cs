namespace Catalog.Api.Demo;

/// <summary>Error messages as the tools of the demo's stages report them.</summary>
internal static class DemoErrors
{
    private static readonly string[] Reading =
    [
        "connection to server at \"shop-db.internal\" (10.20.4.11), port 5432 failed: timeout expired",
        "The source returned 503 Service Unavailable three times in 90 s.",
        "canceling statement due to conflict with recovery: the replica was behind by 214 s",
    ];

    private static readonly string[] Building =
    [
        "column \"discount_code\" does not exist in staging.orders (job transform.sql, line 41)",
        "Memory limit of 4 GiB exceeded while sorting 18.2 million rows; raise it or add a partition.",
        "division by zero in expression revenue / visits",
    ];

    private static readonly string[] Verifying =
    [
        "row counts differ: 8,114 read, 8,096 written",
        "checksum of part 0003 does not match the manifest",
    ];

    private static readonly string[] Writing =
    [
        "No space left on device while writing part 0007 of 0012",
        "429 Too Many Requests from https://api.partner.example/v2/batches; retry after 60 s",
        "could not obtain a lock on the target table within 120 s",
    ];

    /// <summary>A random error message that fits a stage.</summary>
    public static string Of(string stage, Random random)
    {
        var errors = stage switch
        {
            "authenticate" => ["401 Unauthorized: the refresh token of the service account has expired. Create a new one."],
            "extract" or "read_inputs" or "select_rows" or "poll" => Reading,
            "load" or "publish" or "upload" or "write" or "commit" => Writing,
            "verify" or "validate" => Verifying,
            _ => Building,
        };
        return errors[random.Next(errors.Length)];
    }
}
