using System.Text.RegularExpressions;
using Catalog.Data.Database;

namespace Catalog.Migrations.Backup;

/// <summary>Words for what goes wrong with files and by interruption, which to the other verbs mean something of the database.</summary>
internal static partial class BackupFailures
{
    public static async Task<int> Say(Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (OperationCanceledException exception)
        {
            throw new BackupException(ExitCode.Failed, "interrupted", "Interrupted: what was begun was removed.", exception);
        }
        catch (UnauthorizedAccessException exception) when (Quoted().Match(exception.Message) is { Success: true } named)
        {
            throw new BackupException(ExitCode.Usage, "file", FileRights.AccessDenied(named.Groups["path"].Value), exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(ExitCode.Failed, "file", exception.Message, exception);
        }
    }

    // "Access to the path '/x' is denied."
    [GeneratedRegex("'(?<path>/.+)'")]
    private static partial Regex Quoted();
}
