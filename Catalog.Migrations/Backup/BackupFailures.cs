using System.Text.RegularExpressions;
using Catalog.Data.Database;

namespace Catalog.Migrations.Backup;

/// <summary>
/// Translates cancellation and file errors into <see cref="BackupException"/>s. Their texts are about backups, not
/// about migrations.
/// </summary>
internal static partial class BackupFailures
{
    public static async Task<int> Translate(Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (OperationCanceledException exception)
        {
            throw new BackupException(ExitCode.Failed, "interrupted", "Interrupted. Unfinished files were removed.", exception);
        }
        catch (UnauthorizedAccessException exception) when (QuotedPath().Match(exception.Message) is { Success: true } match)
        {
            throw new BackupException(ExitCode.Usage, "file", FileRights.AccessDenied(match.Groups["path"].Value), exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(ExitCode.Failed, "file", exception.Message, exception);
        }
    }

    // Finds the path in a message such as "Access to the path '/x' is denied."
    [GeneratedRegex("'(?<path>/.+)'")]
    private static partial Regex QuotedPath();
}
