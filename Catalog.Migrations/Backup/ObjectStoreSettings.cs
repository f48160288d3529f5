using System.Globalization;
using Catalog.Data.Database;
using Microsoft.Extensions.Configuration;

namespace Catalog.Migrations.Backup;

/// <summary>Which bucket, and how it is reached. The keys are never printed.</summary>
internal sealed record ObjectStoreSettings
{
    private static readonly string[] Schemes = ["s3://", "spaces://"];

    public required string Bucket { get; init; }

    /// <summary>Empty, or ending with a slash.</summary>
    public required string Prefix { get; init; }

    /// <summary>Null: Amazon's, by the region.</summary>
    public required Uri? Endpoint { get; init; }

    public required string Region { get; init; }

    public required string AccessKey { get; init; }

    public required string SecretKey { get; init; }

    /// <summary>Of temporary credentials; otherwise null.</summary>
    public required string? SessionToken { get; init; }

    /// <summary>What the store encrypts objects with: AES256 or aws:kms; null: as the bucket is set.</summary>
    public required string? Encryption { get; init; }

    /// <summary>How often a request is tried.</summary>
    public required int Attempts { get; init; }

    /// <summary>How long a request may take, and how long a download may stand still.</summary>
    public required TimeSpan Timeout { get; init; }

    public static bool IsAddress(string text) => Schemes.Any(scheme => text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads an address and the environment.</summary>
    /// <exception cref="SettingException">Something is missing or cannot be used.</exception>
    public static ObjectStoreSettings Read(string address, IConfiguration settings)
    {
        string? Text(params string[] names) => names.Select(name => Setting.Text(settings, name)).FirstOrDefault(value => value is not null);

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
                : throw new SettingException("Set DATAXPIPE_S3_REGION to the Space's region, such as nyc3, or DATAXPIPE_S3_ENDPOINT to its address.");
        }

        var access = Text("DATAXPIPE_S3_ACCESS_KEY") is { } own ? (own, Text("DATAXPIPE_S3_SECRET_KEY"), null)
            : (Text("AWS_ACCESS_KEY_ID"), Text("AWS_SECRET_ACCESS_KEY"), Text("AWS_SESSION_TOKEN"));
        return new()
        {
            Bucket = rest[0],
            Prefix = rest.Length > 1 && rest[1].Trim('/') is { Length: > 0 } prefix ? prefix + '/' : "",
            Endpoint = endpoint is null ? null : Address(endpoint, Setting.Flag(settings, "DATAXPIPE_S3_INSECURE") ?? false),
            Region = region ?? "us-east-1",
            AccessKey = access.Item1 ?? throw new SettingException("Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or DATAXPIPE_S3_ACCESS_KEY and DATAXPIPE_S3_SECRET_KEY."),
            SecretKey = access.Item2 ?? throw new SettingException("The access key has no secret: set AWS_SECRET_ACCESS_KEY, or DATAXPIPE_S3_SECRET_KEY beside DATAXPIPE_S3_ACCESS_KEY."),
            SessionToken = access.Item3,
            Encryption = Text("DATAXPIPE_S3_ENCRYPTION") is not { } word ? null
                : word is "AES256" or "aws:kms" ? word : throw new SettingException("DATAXPIPE_S3_ENCRYPTION must be AES256 or aws:kms."),
            Attempts = Number(Text("DATAXPIPE_S3_ATTEMPTS"), "DATAXPIPE_S3_ATTEMPTS", 5, 20),
            Timeout = TimeSpan.FromSeconds(Number(Text("DATAXPIPE_S3_TIMEOUT"), "DATAXPIPE_S3_TIMEOUT", 300, 3600)),
        };
    }

    private static Uri Address(string text, bool insecure)
    {
        // The message does not repeat it: it may hold keys.
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http") || address.UserInfo.Length > 0)
        {
            throw new SettingException("DATAXPIPE_S3_ENDPOINT must be an https:// address without keys.");
        }

        return address.Scheme == "https" || address.IsLoopback || insecure
            ? address
            : throw new SettingException("DATAXPIPE_S3_ENDPOINT must begin with https://: over http:// everybody on the way reads the backup. On a network of your own, set DATAXPIPE_S3_INSECURE=true.");
    }

    private static int Number(string? text, string name, int byDefault, int most) => text is null ? byDefault
        : int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most ? number
        : throw new SettingException($"{name} must be a whole number from 1 to {most}.");
}
