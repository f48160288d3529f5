using System.CommandLine;
using Catalog.Data.Database;
using Catalog.Data.Settings;
using Catalog.Migrations.Backup;

namespace Catalog.Migrations.Verbs;

/// <summary>The options of the verb <c>backup</c>.</summary>
internal sealed class BackupArguments
{
    private readonly Option<string> _folder = new("--output")
    {
        Description = "The folder to write to; created if missing.",
        Required = true,
        HelpName = "DIR"
    };
    private readonly Option<string?> _upload = new("--upload")
    {
        Description = "Also upload the backup to s3://bucket/prefix or spaces://bucket/prefix.",
        HelpName = "URL"
    };
    private readonly Option<string?> _format = new("--format")
    {
        Description = "Postgres only: custom (default), or plain for an SQL script.",
        HelpName = "custom|plain"
    };
    private readonly Option<bool> _schemaOnly = new("--schema-only")
    {
        Description = "Postgres only: back up the schema without rows. The --keep options ignore such backups."
    };
    private readonly Option<string?> _compress = new("--compress")
    {
        Description = "Compression level 1 to 9, or none. Default: 6 on Postgres, none on SQLite.",
        HelpName = "N|none"
    };
    private readonly Option<string?> _metrics = new("--metrics")
    {
        Description = "After success, also write the time of the backup to this file, for node_exporter's textfile collector.",
        HelpName = "FILE.prom"
    };
    private readonly Option<double> _lockWait = LimitOptions.Seconds(
        "--lock-wait", TimeSpan.FromSeconds(30), "Seconds to wait for a table lock.");

    public BackupArguments()
    {
        _format.AcceptOnlyFromAmong("custom", "plain");
        _compress.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0
                && result.Tokens[0].Value is not ("none" or ['1' or '2' or '3' or '4' or '5' or '6' or '7' or '8' or '9']))
            {
                result.AddError("--compress must be a number from 1 to 9, or none.");
            }
        });
    }

    public BackupRotationOptions Rotation { get; } = new();

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _folder, _upload, _format, _schemaOnly, _compress, _metrics, _lockWait })
        {
            command.Options.Add(option);
        }

        Rotation.AddTo(command);
    }

    /// <exception cref="BackupException">An option for Postgres was given for SQLite.</exception>
    public BackupOptions ReadBackup(ParseResult arguments, DatabaseEngine engine)
    {
        var postgres = engine == DatabaseEngine.Postgres;
        if (!postgres && (arguments.GetValue(_format) is not null || arguments.GetValue(_schemaOnly)))
        {
            throw new BackupException(
                ExitCode.Usage, "usage", "--format and --schema-only are for Postgres only: a backup of SQLite is always the whole file.");
        }

        int? level = arguments.GetValue(_compress) switch { "none" => null, { } digit => digit[0] - '0', null => postgres ? 6 : null };
        return new BackupOptions(postgres ? arguments.GetValue(_format) ?? "custom" : "sqlite", level, arguments.GetValue(_schemaOnly),
            TimeSpan.FromSeconds(arguments.GetValue(_lockWait)));
    }

    /// <returns>The absolute path of the folder to write to.</returns>
    /// <exception cref="SettingException">The option is empty or names a file.</exception>
    public string ReadFolder(ParseResult arguments)
    {
        var folder = arguments.GetValue(_folder);
        if (string.IsNullOrWhiteSpace(folder))
        {
            throw new SettingException("--output: name a folder to write to.");
        }

        var directory = Path.GetFullPath(folder);
        return File.Exists(directory) ? throw new SettingException($"--output: {directory} is a file; name a folder.") : directory;
    }

    /// <returns>The absolute path of the file for metrics; null when none is requested.</returns>
    /// <exception cref="SettingException">The file cannot be used.</exception>
    /// <exception cref="BackupException">The backup would contain no rows, so the metrics must not report it as the
    /// newest.</exception>
    public string? ReadMetrics(ParseResult arguments) =>
        arguments.GetValue(_schemaOnly) && arguments.GetValue(_metrics) is not null
            ? throw new BackupException(ExitCode.Usage, "usage", "--metrics is not for --schema-only: such a backup contains no rows.")
            : BackupMetrics.ReadPath(arguments.GetValue(_metrics));

    /// <returns>The bucket to upload to; null when no upload is requested.</returns>
    /// <exception cref="SettingException">The address is not an s3:// or spaces:// address.</exception>
    public ObjectStore? OpenUpload(ParseResult arguments) => arguments.GetValue(_upload) is not { } address ? null
        : ObjectStoreSettings.IsAddress(address) ? new ObjectStore(ObjectStoreSettings.Read(address, Verb.Settings(arguments)))
        : throw new SettingException("--upload takes s3://bucket/prefix or spaces://bucket/prefix.");
}
