using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Api.Http;
using Catalog.Data.Database;
using Catalog.Data.Warehouses;

namespace Catalog.Api.Connections;

/// <summary>
/// The configuration of a connection, parted into what may be shown and what may not. Only fields known to be harmless are shown:
/// a secret under a name that nobody thought of stays one.
/// </summary>
internal sealed class ConnectionConfig
{
    public const string Mask = "***";
    private const string Postgres = "postgres";

    private static readonly HashSet<string> Shown = new(StringComparer.OrdinalIgnoreCase)
    {
        "host", "port", "user", "username", "dbname", "database", "schema", "sslmode", "account", "warehouse", "role", "region", "project", "dataset", "driver",
    };

    private static readonly string[] PostgresFields = ["dsn", "host", "port", "user", "dbname", "sslmode", "password", "password_secret"];

    private readonly JsonObject _fields;

    private ConnectionConfig(JsonObject fields) => _fields = fields;

    /// <summary>What may be shown, masked where it may not.</summary>
    public string ToShow(string type)
    {
        var shown = new JsonObject();
        foreach (var (name, value) in _fields)
        {
            shown[name] = !IsSecret(name) ? value?.DeepClone() : name == "dsn" && type == Postgres ? PostgresWarehouse.FromDsn("dsn", Text("dsn")!).Display : Mask;
        }

        return shown.ToJsonString(ApiJson.Options);
    }

    /// <summary>What may not be shown, as a JSON object; null when there is nothing.</summary>
    public string? ToSeal()
    {
        var secrets = new JsonObject(_fields.Where(field => IsSecret(field.Key)).Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())));
        return secrets.Count == 0 ? null : secrets.ToJsonString(ApiJson.Options);
    }

    /// <summary>Reads a configuration that was posted.</summary>
    /// <returns>The configuration, or the errors by JSON pointer.</returns>
    public static (ConnectionConfig? Config, Dictionary<string, string[]>? Errors) Read(string type, RawJson? json)
    {
        var errors = new Dictionary<string, string[]>();
        if (RawJson.Stored(json) is not { } text || !text.StartsWith('{'))
        {
            return (null, new() { ["/config"] = ["is required: an object."] });
        }

        JsonObject fields;
        try
        {
            fields = (JsonObject)JsonNode.Parse(text, documentOptions: new() { AllowDuplicateProperties = false })!;
        }
        catch (JsonException)
        {
            return (null, new() { ["/config"] = ["holds a field twice."] });
        }

        foreach (var (name, value) in fields)
        {
            if (Wrong(type, name, value) is { } wrong)
            {
                errors["/config" + JsonPointer.OfName(name)] = [wrong];
            }
        }

        if (type == Postgres && fields.ContainsKey("dsn") && fields.Count(member => member.Key != "password_secret") > 1)
        {
            errors["/config"] = ["holds a dsn and parts of one; give one of the two."];
        }

        if (fields.ContainsKey("password") && fields.ContainsKey("password_secret"))
        {
            errors["/config/password_secret"] = ["stands beside a password; give one of the two."];
        }

        var config = new ConnectionConfig(fields);
        if (errors.Count == 0 && type == Postgres)
        {
            try
            {
                config.Warehouse();
            }
            catch (SettingException problem)
            {
                errors["/config" + (fields.ContainsKey("dsn") ? "/dsn" : "")] = [problem.Message];
            }
        }

        return errors.Count == 0 ? (config, null) : (null, errors);
    }

    /// <summary>Puts a stored configuration together again.</summary>
    /// <param name="shown">What was stored in the clear.</param>
    /// <param name="secrets">What was sealed, opened; null when there was nothing.</param>
    public static ConnectionConfig From(string shown, string? secrets)
    {
        var fields = (JsonObject)JsonNode.Parse(shown)!;
        foreach (var (name, value) in secrets is null ? [] : (JsonObject)JsonNode.Parse(secrets)!)
        {
            fields[name] = value?.DeepClone();
        }

        return new(fields);
    }

    /// <summary>Whether a field refers to a secret that lies elsewhere.</summary>
    public bool RefersToSecrets => _fields.Any(member => IsReference(member.Key));

    /// <summary>The Postgres that it describes.</summary>
    /// <exception cref="SettingException">It describes none.</exception>
    public PostgresWarehouse Warehouse() => Text("dsn") is { } dsn
        ? PostgresWarehouse.FromDsn("dsn", dsn)
        : PostgresWarehouse.FromParts(
            Text("host") ?? throw new SettingException("a dsn or a host is required."), Port(), Text("user"), Text("password"), Text("dbname"), Text("sslmode"));

    private int? Port() => _fields["port"] is not { } port ? null
        : port.GetValueKind() == JsonValueKind.Number && JsonNumber.ReadWhole(Encoding.UTF8.GetBytes(port.ToJsonString()), out var whole) is null && whole is >= 1 and <= 65535 ? (int)whole
        : port.GetValueKind() == JsonValueKind.String && int.TryParse((string?)port, out var number) && number is >= 1 and <= 65535 ? number
        : throw new SettingException("port must be a number from 1 to 65535.");

    private string? Text(string name) => _fields[name]?.GetValueKind() == JsonValueKind.String ? (string?)_fields[name] : null;

    private static string? Wrong(string type, string name, JsonNode? value)
    {
        var text = value?.GetValueKind() == JsonValueKind.String ? (string?)value : null;
        return IsReference(name) && !IsVaultPath(text) ? "must refer to a secret, such as vault/data/db-password or path#key, and never hold one."
            : text?.Contains('\0', StringComparison.Ordinal) == true || name.Contains('\0', StringComparison.Ordinal) ? "must not hold the character U+0000."
            : text?.Length > 4096 ? "must be at most 4096 characters long."
            : text == Mask || (name == "dsn" && text?.Contains($":{Mask}@", StringComparison.Ordinal) == true) ? "is the mask that is shown in place of a secret; send the secret itself again."
            : value?.GetValueKind() is JsonValueKind.Object or JsonValueKind.Array ? "must be text, a number or a flag."
            : type == Postgres && !PostgresFields.Contains(name, StringComparer.Ordinal) ? $"is not a field of postgres; it takes {string.Join(", ", PostgresFields)}."
            : type == Postgres && name is not "port" && text is null ? "must be text."
            : null;
    }

    private static bool IsReference(string name) => name.EndsWith("_secret", StringComparison.OrdinalIgnoreCase);

    private static bool IsSecret(string name) => !IsReference(name) && !Shown.Contains(name);

    private static bool IsVaultPath(string? text) =>
        text is { Length: > 2 and <= 512 } && (text.Contains('/', StringComparison.Ordinal) || text.Contains('#', StringComparison.Ordinal))
        && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '/' or '-' or '_' or '.' or '#')
        && text.Count(character => character == '#') <= 1;
}
