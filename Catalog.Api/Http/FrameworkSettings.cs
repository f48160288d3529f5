using System.Text.Json;
using System.Text.RegularExpressions;
using Catalog.Data.Database;

namespace Catalog.Api.Http;

/// <summary>What the framework reads by itself. What it cannot use it would tell with a stack, or with a text that repeats the value.</summary>
internal static partial class FrameworkSettings
{
    /// <summary>The builder, with every source of settings read.</summary>
    /// <exception cref="SettingException">A file of settings cannot be used, or a level of the log.</exception>
    public static WebApplicationBuilder Builder(string[] args)
    {
        try
        {
            // Settings are judged once, at start; watching their files would cost more the more is written beside them, as by SQLite.
            var builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
            RequireLogLevels(builder.Configuration);
            return builder;
        }
        catch (InvalidDataException broken)
        {
            var file = Quoted().Match(broken.Message) is { Success: true } match ? match.Groups["text"].Value : "A file of settings";
            throw new SettingException(broken.InnerException?.InnerException is JsonException { LineNumber: var line }
                ? $"{file} is not valid JSON at line {line + 1}: correct it, or take the file away."
                : $"{file} cannot be used: it must hold one JSON object, and no name twice in one object, in any case of its letters.");
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"The settings cannot be read: {refusal.Message}");
        }
    }

    /// <summary>Says which setting cannot be read as what the framework wants there; the framework names it from some section on.</summary>
    /// <returns>Null when the exception is about something else.</returns>
    public static string? Refusal(Exception exception) =>
        exception is InvalidOperationException && Converted().Match(exception.Message) is { Success: true } match
            ? $"The setting whose name ends in {Setting.Name(match.Groups["key"].Value)} cannot be read as a value of the type "
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
    private static partial Regex Quoted();

    // From the right: before it stands the value, which may hold anything.
    [GeneratedRegex(@"at '(?<key>[^']+)' to type '(?:[\w.]+\.)?(?<type>\w+)'", RegexOptions.RightToLeft)]
    private static partial Regex Converted();
}
