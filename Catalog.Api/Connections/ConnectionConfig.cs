using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Api.Http;
using Catalog.Api.Secrets;
using Catalog.Data.Settings;
using Catalog.Data.Warehouses;

namespace Catalog.Api.Connections;

/// <summary>
/// The configuration of a connection, divided into public and secret fields. Only fields whose names are in a fixed
/// list are public, so a secret in an unknown field stays secret.
/// </summary>
internal sealed class ConnectionConfig
{
    public const string Mask = "***";
    private const string Postgres = "postgres";
    private const string ReferenceEnd = "_secret";

    private static readonly HashSet<string> PublicFields = new(StringComparer.OrdinalIgnoreCase)
    {
        "host", "port", "user", "username", "dbname", "database", "schema", "sslmode", "account", "warehouse", "role", "region", "project",
        "dataset", "driver", "path",
    };

    private static readonly string[] ServerFields = ["host", "port", "user", "dbname", "sslmode", "password", "password_secret"];

    private static readonly string[] FileFields = ["path"];

    // The fields of the types that have a driver. Other types may have any fields.
    private static readonly Dictionary<string, string[]> Fields = new(StringComparer.Ordinal)
    {
        [Postgres] = ["dsn", .. ServerFields],
        ["mysql"] = ServerFields,
        ["mariadb"] = ServerFields,
        ["clickhouse"] = ServerFields,
        ["sqlite"] = FileFields,
        ["duckdb"] = FileFields,
    };

    private readonly JsonObject _fields;

    private ConnectionConfig(JsonObject fields) => _fields = fields;

    /// <summary>The configuration as a JSON object, with the mask in place of secret values.</summary>
    public string ToMaskedJson(string type)
    {
        var shown = new JsonObject();
        foreach (var (name, value) in _fields)
        {
            shown[name] = !IsSecret(name) ? value?.DeepClone() : name == "dsn" && type == Postgres
                ? PostgresWarehouse.DisplayOf(Settings(type)) : Mask;
        }

        return shown.ToJsonString(ApiJson.Options);
    }

    /// <summary>The secret fields as a JSON object; null when there are none.</summary>
    public string? SecretsToJson()
    {
        var secrets = new JsonObject(
            _fields.Where(field => IsSecret(field.Key)).Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())));
        return secrets.Count == 0 ? null : secrets.ToJsonString(ApiJson.Options);
    }

    /// <summary>Reads and validates a configuration from a request.</summary>
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
            return (null, new() { ["/config"] = ["contains a field twice."] });
        }

        foreach (var (name, value) in fields)
        {
            if (FindError(type, name, value) is { } error)
            {
                errors["/config" + JsonPointer.OfName(name)] = [error];
            }
        }

        if (type == Postgres && fields.ContainsKey("dsn") && fields.Count(member => member.Key != "password_secret") > 1)
        {
            errors["/config"] = ["contains a dsn and other address fields; use either the dsn or the fields."];
        }

        if (fields.ContainsKey("password") && fields.ContainsKey("password_secret"))
        {
            errors["/config/password_secret"] = ["is given together with password; use only one of them."];
        }

        var config = new ConnectionConfig(fields);
        if (errors.Count == 0 && Fields.ContainsKey(type))
        {
            try
            {
                WarehouseFactory.Validate(config.Settings(type));
            }
            catch (SettingException problem)
            {
                errors["/config" + (fields.ContainsKey("dsn") ? "/dsn" : fields.ContainsKey("path") ? "/path" : "")] = [problem.Message];
            }
        }

        return errors.Count == 0 ? (config, null) : (null, errors);
    }

    /// <summary>Combines the stored parts of a configuration.</summary>
    /// <param name="shown">The masked JSON object.</param>
    /// <param name="secrets">The decrypted JSON object of secret fields; null when there are none.</param>
    public static ConnectionConfig From(string shown, string? secrets)
    {
        var fields = (JsonObject)JsonNode.Parse(shown)!;
        foreach (var (name, value) in secrets is null ? [] : (JsonObject)JsonNode.Parse(secrets)!)
        {
            fields[name] = value?.DeepClone();
        }

        return new(fields);
    }

    /// <summary>The references to secrets.</summary>
    public IEnumerable<string> References => _fields.Where(member => IsReference(member.Key)).Select(member => Text(member.Key))
        .OfType<string>();

    /// <summary>A copy with the secrets in place of the references to them.</summary>
    /// <param name="resolve">Reads the secret of a reference.</param>
    public async Task<ConnectionConfig> WithSecrets(Func<string, Task<string>> resolve)
    {
        var fields = new JsonObject();
        foreach (var (name, value) in _fields)
        {
            if (IsReference(name) && Text(name) is { } reference)
            {
                fields[name[..^ReferenceEnd.Length]] = await resolve(reference);
            }
            else
            {
                fields[name] = value?.DeepClone();
            }
        }

        return new(fields);
    }

    /// <summary>The configuration for a driver.</summary>
    /// <exception cref="SettingException">The port is not a number from 1 to 65535.</exception>
    public WarehouseSettings Settings(string type) => new()
    {
        Type = type,
        Dsn = Text("dsn"),
        Host = Text("host"),
        Port = Port(),
        User = Text("user"),
        Password = Text("password"),
        Database = Text("dbname"),
        SslMode = Text("sslmode"),
        Path = Text("path"),
    };

    private int? Port() => _fields["port"] is not { } port ? null
        : port.GetValueKind() == JsonValueKind.Number && JsonNumber.ReadWhole(Encoding.UTF8.GetBytes(port.ToJsonString()), out var whole)
            is null && whole is >= 1 and <= 65535 ? (int)whole
        : port.GetValueKind() == JsonValueKind.String && int.TryParse((string?)port, out var number) && number is >= 1 and <= 65535 ? number
        : throw new SettingException("port must be a number from 1 to 65535.");

    private string? Text(string name) => _fields[name]?.GetValueKind() == JsonValueKind.String ? (string?)_fields[name] : null;

    private static string? FindError(string type, string name, JsonNode? value)
    {
        var text = value?.GetValueKind() == JsonValueKind.String ? (string?)value : null;
        return IsReference(name) && (text is null || !SecretResolver.IsPossible(text))
            ? "must refer to a secret, such as vault/data/db-password, path#key, env:NAME or file:/path; it must not contain the secret."
            : text?.Contains('\0', StringComparison.Ordinal) == true || name.Contains('\0', StringComparison.Ordinal)
            ? "must not contain the character U+0000."
            : text?.Length > 4096 ? "must be at most 4096 characters long."
            : text == Mask || (name == "dsn" && text?.Contains($":{Mask}@", StringComparison.Ordinal) == true)
            ? "is the mask that replaces a secret in responses; send the secret itself again."
            : value?.GetValueKind() is JsonValueKind.Object or JsonValueKind.Array ? "must be text, a number, true, false or null."
            : !Fields.TryGetValue(type, out var known) ? null
            : !known.Contains(name, StringComparer.Ordinal)
            ? $"is not a field of a {type} connection; the fields are {string.Join(", ", known)}."
            : name is not "port" && text is null ? "must be text."
            : null;
    }

    private static bool IsReference(string name) => name.EndsWith(ReferenceEnd, StringComparison.OrdinalIgnoreCase);

    private static bool IsSecret(string name) => !IsReference(name) && !PublicFields.Contains(name);
}
