using System.Diagnostics;
using Catalog.Data.Database;
using Catalog.Tests.Support;
using Dapper;
using Npgsql;

namespace Catalog.Tests.Backup;

/// <summary>Incomplete backups of Postgres are refused, and no secret is visible to other users.</summary>
[Trait("Category", "Slow")]
public sealed class BackupRefusalTests(PostgresTestDatabase database, BackupFolder folder) : IClassFixture<PostgresTestDatabase>,
    IClassFixture<BackupFolder>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("echo 'pg_dump (PostgreSQL) 14.12'", 1, "client_too_old", "is version 14.12 but the server is 15")]
    [InlineData("echo nothing", 1, "client_missing", "printed no version")]
    [InlineData("[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) 15.1' && exit; echo 'pg_dump: error: no' >&2; exit 1", 1,
        "dump_failed", "pg_dump: error: no")]
    [InlineData("[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) 15.1' && exit; exit 0", 1, "dump_failed", "The dump is empty")]
    [InlineData("[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) 15.1' && exit; kill -9 $$", 1, "dump_failed", "signal 9")]
    [InlineData(
        "[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) 15.1' && exit; for a; do case $a in --file=*) f=${a#--file=};; esac; "
            + "done; REAL \"$@\"; head -c 9000 \"$f\" >\"$f.x\"; cat \"$f.x\" >\"$f\"; rm \"$f.x\"", 4, "damaged", "The dump is damaged")]
    public async Task A_pg_dump_that_is_too_old_or_fails_or_truncates_leaves_no_files(string script, int exit, string code, string words)
    {
        database.Require();
        var bin = Script("pg_dump", script);
        var where = folder.New();
        var earlier = await BackupSteps.BackUp(database.Address, where);

        var result = await MigratorConsole.RunProcess(
            database.Address, [("PG_BIN", ""), ("PATH", $"{bin}:{Environment.GetEnvironmentVariable("PATH")}")], "backup", "--output",
            where, "--json", "--keep", "1");

        Assert.True(result.Exit == exit, result.ToString());
        Assert.Equal(code, result.Code());
        Assert.Contains(words, result.Errors);
        Assert.Equal([Path.GetFileName(earlier), Path.GetFileName(earlier) + ".json"], BackupSteps.Names(where));
        Assert.Equal(0, (await MigratorConsole.Run(database.Address, "backup", "--output", where)).Exit);
    }

    [Fact]
    public async Task A_truncated_plain_dump_is_refused_although_pg_dump_reported_no_error()
    {
        database.Require();
        var bin = Script("pg_dump", "[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) 15.1' && exit; REAL \"$@\" | head -c 9000");
        foreach (var compress in new[] { "6", "none" })
        {
            var where = folder.New();
            var result = await MigratorConsole.RunProcess(database.Address, [("PG_BIN", bin)], "backup", "--output", where, "--format",
                "plain", "--compress", compress, "--json");
            Assert.Equal((4, "damaged"), (result.Exit, result.Code()));
            Assert.Empty(BackupSteps.Names(where));
        }
    }

    [Fact]
    public async Task A_role_that_does_not_see_every_row_cannot_back_up()
    {
        database.Require();
        var target = await PostgresTestDatabase.Empty("catalog_rls", superuser: true);
        await TestDatabase.Migrate(target);
        var role = $"backup_{Guid.NewGuid():N}";
        await using var connection = await Open(target);
        await connection.ExecuteAsync(
            $"create role {role} login password '{role}'; grant select on all tables in schema public to {role}; grant select on all "
                + $"sequences in schema public to {role}");
        // Row security on one table is enough to hide rows, so only runs keeps it.
        foreach (var table in (
            await connection.QueryAsync<string>("select relname from pg_class where relrowsecurity and relname <> 'runs'")).AsList())
        {
            await connection.ExecuteAsync($"alter table {table} disable row level security");
        }

        try
        {
            var address = DedicatedPostgres.WithUser(target, role);
            var refused = await MigratorConsole.Run(address, "backup", "--output", folder.New(), "--json");
            Assert.Equal((1, "rows_hidden"), (refused.Exit, refused.Code()));
            Assert.Contains("hides rows of runs", refused.Errors);

            await connection.ExecuteAsync($"alter table runs owner to {role}");
            Assert.Equal(0, (await MigratorConsole.Run(address, "backup", "--output", folder.New())).Exit);
            await connection.ExecuteAsync("alter table runs force row level security");
            Assert.Equal(1, (await MigratorConsole.Run(address, "backup", "--output", folder.New())).Exit);
            await connection.ExecuteAsync($"alter role {role} bypassrls");
            Assert.Equal(0, (await MigratorConsole.Run(address, "backup", "--output", folder.New())).Exit);
        }
        finally
        {
            await connection.ExecuteAsync($"reassign owned by {role} to current_user; drop owned by {role}; drop role {role}");
        }
    }

    [Fact]
    public async Task A_forced_restore_keeps_other_objects_that_depend_on_the_tables()
    {
        database.Require();
        var path = await BackupSteps.BackUp(database.Address, folder.New());
        var target = await PostgresTestDatabase.Empty("catalog_target");
        Assert.Equal(0, (await MigratorConsole.Run(target, "upgrade")).Exit);
        await using (var connection = new NpgsqlConnection(PostgresUri.Parse("x", target).ConnectionString))
        {
            await connection.OpenAsync(Ct);
            await connection.ExecuteAsync("create schema other; create view other.v as select id from runs");
        }

        var name = new Uri(target).AbsolutePath.Trim('/');
        var refused = await MigratorConsole.Run(target, "restore", path, "--force", "--yes", "--database", name);

        Assert.NotEqual(0, refused.Exit);
        Assert.Contains("other.v", refused.Errors);
        await using var connectionAfter = new NpgsqlConnection(PostgresUri.Parse("x", target).ConnectionString);
        await connectionAfter.OpenAsync(Ct);
        Assert.Equal(0, await connectionAfter.ExecuteScalarAsync<int>("select count(*)::int from other.v"));
    }

    [Fact]
    public async Task A_SQLite_restore_follows_a_symbolic_link_and_keeps_the_file_mode()
    {
        if (OperatingSystem.IsWindows())
        {
            // This test needs the file modes and symbolic links of Unix.
            return;
        }

        var where = folder.New();
        Directory.CreateDirectory(where);
        var (real, link) = (Path.Combine(where, "real.db"), Path.Combine(where, "link.db"));
        Assert.Equal(0, (await MigratorConsole.Run(real, "upgrade")).Exit);
        var backup = await BackupSteps.BackUp(real, folder.New());
        File.SetUnixFileMode(real, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.CreateSymbolicLink(link, real);
        var before = File.GetLastWriteTimeUtc(real);

        var restored = await MigratorConsole.Run(link, "restore", backup, "--force", "--yes", "--database", "link.db");

        Assert.True(restored.Exit == 0, restored.ToString());
        Assert.Equal(real, File.ResolveLinkTarget(link, returnFinalTarget: true)?.FullName);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(real));
        Assert.True(File.GetLastWriteTimeUtc(real) >= before);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public async Task A_blank_output_folder_is_a_settings_error(string output)
    {
        Assert.Equal(2, (await MigratorConsole.Run(Path.Combine(folder.Path, "x.db"), "backup", "--output", output)).Exit);
    }

    // With the plain format, pg_restore reads the output of pg_dump and fails too.
    [Theory]
    [InlineData("pg_dump: error: no", 1, "dump_failed")]
    [InlineData("canceling statement due to lock timeout", 5, "lock_not_obtained")]
    public async Task The_error_of_pg_dump_is_reported_for_a_plain_backup(string error, int exit, string code)
    {
        database.Require();
        var bin = Script("pg_dump", $"[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) 15.1' && exit; echo '{error}' >&2; exit 1");
        var where = folder.New();

        var result = await MigratorConsole.RunProcess(
            database.Address, [("PG_BIN", ""), ("PATH", $"{bin}:{Environment.GetEnvironmentVariable("PATH")}")], "backup", "--output",
            where, "--format", "plain", "--json");

        Assert.Equal((exit, code), (result.Exit, result.Code()));
        Assert.Empty(BackupSteps.Names(where));
    }

    [Fact]
    public async Task A_locked_table_ends_a_backup_after_the_lock_wait()
    {
        database.Require();
        await using var connection = await Open(database.Address);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await connection.ExecuteAsync("lock table runs in access exclusive mode");
        var where = folder.New();
        var clock = Stopwatch.StartNew();

        var result = await MigratorConsole.Run(database.Address, "backup", "--output", where, "--lock-wait", "0.5", "--json");

        Assert.Equal((5, "lock_not_obtained"), (result.Exit, result.Code()));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.5, 15);
        Assert.Empty(BackupSteps.Names(where));
    }

    [Fact]
    public async Task A_password_is_not_visible_in_arguments_and_a_wrong_password_is_reported()
    {
        database.Require();
        using var server = PostgresCluster.Start(fsync: false).Require();
        const string Password = "c4nary 7781:\\@/'\"%ü";
        await using (var connection = await Open(server.Uri))
        {
            await connection.ExecuteAsync("create role keeper superuser login password 'c4nary 7781:\\@/''\"%ü'");
            var file = await connection.ExecuteScalarAsync<string>("show hba_file");
            await File.WriteAllTextAsync(file!, "host all keeper 127.0.0.1/32 scram-sha-256\n" + await File.ReadAllTextAsync(file!, Ct),
                Ct);
            await connection.ExecuteAsync("select pg_reload_conf()");
        }

        string Address(string password) =>
            server.Uri.Replace("postgres@", $"keeper:{Uri.EscapeDataString(password)}@", StringComparison.Ordinal);
        await TestDatabase.Migrate(server.Uri);
        var seen = Path.Combine(folder.Path, "seen");
        var bin = Script("pg_dump", $"echo \"$@\" >>{seen}; exec REAL \"$@\"");
        Script("pg_restore", "exec REAL \"$@\"", bin);
        Script("psql", $"echo \"$@\" >>{seen}; exec REAL \"$@\"", bin);
        var where = folder.New();
        var result = await MigratorConsole.RunProcess(Address(Password), [("PG_BIN", bin)], "backup", "--output", where, "--json");
        Assert.True(result.Exit == 0, result.ToString());
        var restored = await MigratorConsole.RunProcess(Address(Password).Replace("/postgres", "/template1", StringComparison.Ordinal),
            [("PG_BIN", bin)], "restore", result.Json.GetProperty("path").GetString()!);
        Assert.True(restored.Exit == 0, restored.ToString());
        var drill = await MigratorConsole.Run(Address(Password), "backups", "drill", where);
        Assert.True(drill.Exit == 0, drill.ToString());
        var everything = await File.ReadAllTextAsync(seen, Ct) + result + restored + drill + await File.ReadAllTextAsync(
            result.Json.GetProperty("path").GetString() + ".json", Ct);
        Assert.Contains("--snapshot=", everything);
        Assert.DoesNotContain("c4nary", everything);

        var refused = await MigratorConsole.Run(Address("c4nary-wrong"), "backup", "--output", where, "--json");
        Assert.Equal((7, "authentication_failed"), (refused.Exit, refused.Code()));
        Assert.DoesNotContain("c4nary", refused.ToString());
    }

    [Fact]
    public async Task A_setting_that_newer_client_programs_add_does_not_stop_a_restore_on_an_earlier_server()
    {
        database.Require();
        var bin = Script("pg_restore", "[ \"$1\" = --version ] && exec REAL --version; "
            + "REAL \"$@\" | sed 's/^SET lock_timeout = 0;$/&\\nSET transaction_timeout = 0;/'");
        Script("psql", "exec REAL \"$@\"", bin);
        Script("pg_dump", "exec REAL \"$@\"", bin);
        var backup = await BackupSteps.BackUp(database.Address, folder.New());
        var target = await PostgresTestDatabase.Empty("catalog_newer_client", superuser: true);

        var restored = await MigratorConsole.RunProcess(target, [("PG_BIN", bin)], "restore", backup);

        Assert.True(restored.Exit == 0, restored.ToString());
        Assert.Equal(await BackupSteps.Hash(database.Address), await BackupSteps.Hash(target));
    }

    /// <summary>
    /// Writes a shell script in place of a Postgres program; REAL in its body is replaced by the program's path.
    /// </summary>
    private string Script(string name, string body, string? bin = null)
    {
        bin ??= folder.New();
        Directory.CreateDirectory(bin);
        var real = Directory.GetDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal)
            .Select(version => Path.Combine(version, "bin", name)).First(File.Exists);
        var path = Path.Combine(bin, name);
        File.WriteAllText(path, $"#!/bin/sh\n{body.Replace("REAL", real, StringComparison.Ordinal)}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        }

        return bin;
    }

    private static async Task<NpgsqlConnection> Open(string address)
    {
        var connection = new NpgsqlConnection(PostgresUri.Parse("x", address).ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Ct);
        return connection;
    }
}
