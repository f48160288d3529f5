using System.Text.Json;
using System.Text.RegularExpressions;
using Catalog.Data.Settings;

namespace Catalog.Api.Http;

/// <summary>
/// Validates the settings that the framework reads itself. The framework's own errors would be a stack trace, or would
/// repeat the value.
/// </summary>
internal static partial class FrameworkSettings
{
    /// <summary>Creates the application builder. The builder reads every source of settings.</summary>
    /// <exception cref="SettingException">A settings file or a log level is not valid.</exception>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        try
        {
            // Settings are read once, at start. Watching the files is expensive when their folder changes often, as the
            // folder of a SQLite database does.
            var builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
            RequireLogLevels(builder.Configuration);
            return builder;
        }
        catch (InvalidDataException invalid)
        {
            var file = QuotedText().Match(invalid.Message) is { Success: true } match ? match.Groups["text"].Value : "A settings file";
            throw new SettingException(invalid.InnerException?.InnerException is JsonException { LineNumber: var line }
                ? $"{file} is not valid JSON at line {line + 1}: correct or delete the file."
                : $"{file} cannot be used: it must contain one JSON object, and no object may contain the same name twice (letter "
                    + "case is ignored).");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"The settings cannot be read: {failure.Message}");
        }
    }

    /// <summary>
    /// The error message for a setting that the framework cannot convert to its type. The framework's exception
    /// contains only the last parts of the setting's name.
    /// </summary>
    /// <returns>Null when the exception has another cause.</returns>
    public static string? Explain(Exception exception) =>
        exception is InvalidOperationException && FailedConversion().Match(exception.Message) is { Success: true } match
            ? $"The setting whose name ends in {Setting.Name(match.Groups["key"].Value)} cannot be converted to the type "
                + $"{match.Groups["type"].Value}: correct it, or leave it out."
            : null;

    private static void RequireLogLevels(IConfiguration configuration)
    {
        foreach (var (key, value) in configuration.GetSection("Logging").AsEnumerable())
        {
            if (key.Contains(":LogLevel:", StringComparison.OrdinalIgnoreCase)
                && !string.IsNullOrEmpty(value) && !Enum.TryParse<LogLevel>(value, ignoreCase: true, out _))
            {
                throw new SettingException($"{Setting.Name(key)} must be one of {string.Join(", ", Enum.GetNames<LogLevel>())}.");
            }
        }
    }

    [GeneratedRegex("'(?<text>[^']+)'")]
    private static partial Regex QuotedText();

    // The expression is matched from the right, because the value before this text can contain anything.
    [GeneratedRegex(@"at '(?<key>[^']+)' to type '(?:[\w.]+\.)?(?<type>\w+)'", RegexOptions.RightToLeft)]
    private static partial Regex FailedConversion();
}
