using Catalog.Data.Migrations;

namespace Catalog.Migrations.Preview;

internal sealed class SqlitePreview : PreviewDialect
{
    internal override string Now => "strftime('%Y-%m-%d %H:%M:%f', 'now')";

    internal override string Instant => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

    internal override string Header(MigrationLimits limits) =>
        "-- Run with: sqlite3 -bail DATABASE < FILE (without -bail a script that fails would be recorded as applied)\npragma "
            + "foreign_keys = off;\n";

    internal override string Guard(string file, string? present, string? absent) => "";
}
