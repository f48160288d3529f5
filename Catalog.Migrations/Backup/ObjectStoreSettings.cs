using System.Globalization;
using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;

namespace Catalog.Migrations.Backup;

/// <summary>The bucket, and how to access it. The keys are never printed.</summary>
internal sealed record ObjectStoreSettings
{
    private static readonly string[] Schemes = ["s3://", "spaces://"];

    public required string Bucket { get; init; }

    /// <summary>Key prefix of the objects: empty, or with a slash at the end.</summary>
    public required string Prefix { get; init; }

    /// <summary>Address of the store; null for Amazon S3 in <see cref="Region"/>.</summary>
    public required Uri? Endpoint { get; init; }

    public required string Region { get; init; }

    public required string AccessKey { get; init; }

    public required string SecretKey { get; init; }

    /// <summary>Session token of temporary credentials; null for permanent credentials.</summary>
    public required string? SessionToken { get; init; }

    /// <summary>Server-side encryption: AES256 or aws:kms; null for the bucket's default.</summary>
    public required string? Encryption { get; init; }

    /// <summary>Maximum attempts per request.</summary>
    public required int Attempts { get; init; }

    /// <summary>Time limit of a request, and of one read of a download.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>The bucket, without the keys.</summary>
    public override string ToString() => $"Bucket {Bucket}";

    public static bool IsAddress(string text) => Schemes.Any(scheme => text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads the settings from a bucket's URL and the environment.</summary>
    /// <exception cref="SettingException">A setting is missing or invalid.</exception>
    public static ObjectStoreSettings Read(string address, IConfiguration settings)
    {
        string? Text(params string[] names) =>
            names.Select(name => Setting.Text(settings, name)).FirstOrDefault(value => value is not null);

        var spaces = address.StartsWith("spaces://", StringComparison.OrdinalIgnoreCase);
        var rest = address[(address.IndexOf("://", StringComparison.Ordinal) + 3)..].Split('/', 2);
        if (rest[0].Length == 0 || rest[0].Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '.' or '_')))
        {
            throw new SettingException("Write the address as s3://bucket/prefix or spaces://bucket/prefix, without keys.");
        }

        var region = Text("DATAXPIPE_S3_REGION", "AWS_REGION", "AWS_DEFAULT_REGION");
        var endpoint = Text("DATAXPIPE_S3_ENDPOINT", "AWS_ENDPOINT_URL");
        if (endpoint is null && spaces)
        {
            endpoint = region is not null ? $"https://{region}.digitaloceanspaces.com"
                : throw new SettingException(
                    "Set DATAXPIPE_S3_REGION to the Space's region, such as nyc3, or DATAXPIPE_S3_ENDPOINT to its address.");
        }

        var access = Text("DATAXPIPE_S3_ACCESS_KEY") is { } accessKey ? (accessKey, Text("DATAXPIPE_S3_SECRET_KEY"), null)
            : (Text("AWS_ACCESS_KEY_ID"), Text("AWS_SECRET_ACCESS_KEY"), Text("AWS_SESSION_TOKEN"));
        return new()
        {
            Bucket = rest[0],
            Prefix = rest.Length > 1 && rest[1].Trim('/') is { Length: > 0 } prefix ? prefix + '/' : "",
            Endpoint = endpoint is null ? null : Address(endpoint, Setting.Flag(settings, "DATAXPIPE_S3_INSECURE") ?? false),
            Region = region ?? "us-east-1",
            AccessKey = access.Item1 ?? throw new SettingException(
                "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or DATAXPIPE_S3_ACCESS_KEY and DATAXPIPE_S3_SECRET_KEY."),
            SecretKey = access.Item2 ?? throw new SettingException(
                "The secret of the access key is missing: set AWS_SECRET_ACCESS_KEY, or DATAXPIPE_S3_SECRET_KEY together with "
                    + "DATAXPIPE_S3_ACCESS_KEY."),
            SessionToken = access.Item3,
            Encryption = Text("DATAXPIPE_S3_ENCRYPTION") is not { } word ? null
                : word is "AES256" or "aws:kms" ? word : throw new SettingException("DATAXPIPE_S3_ENCRYPTION must be AES256 or aws:kms."),
            Attempts = Number(Text("DATAXPIPE_S3_ATTEMPTS"), "DATAXPIPE_S3_ATTEMPTS", 5, 20),
            Timeout = TimeSpan.FromSeconds(Number(Text("DATAXPIPE_S3_TIMEOUT"), "DATAXPIPE_S3_TIMEOUT", 300, 3600)),
        };
    }

    private static Uri Address(string text, bool insecure)
    {
        // The message does not repeat the address: it may contain keys.
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http")
            || address.UserInfo.Length > 0)
        {
            throw new SettingException(
                "DATAXPIPE_S3_ENDPOINT must be an address such as https://s3.example.com, without a user or password in it.");
        }

        return address.Scheme == "https" || address.IsLoopback || insecure
            ? address
            : throw new SettingException(
                "DATAXPIPE_S3_ENDPOINT must begin with https://: over http:// others on the network can read the backup. On a "
                    + "private network, set DATAXPIPE_S3_INSECURE=true.");
    }

    private static int Number(string? text, string name, int defaultValue, int max) => text is null ? defaultValue
        : int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= max ? number
        : throw new SettingException($"{name} must be a whole number from 1 to {max}.");
}
