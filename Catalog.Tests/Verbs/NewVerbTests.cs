using System.Text.Json;
using Catalog.Data.Migrations;
using Catalog.Migrations.Verbs;
using Catalog.Tests.Support;

namespace Catalog.Tests.Verbs;

public sealed class NewVerbTests : IDisposable
{
    private static readonly string[] Four = ["postgres/0002_add_owner.sql", "postgres/down/0002_add_owner.sql", "sqlite/0002_add_owner.sql",
        "sqlite/down/0002_add_owner.sql"];
    private readonly ScriptDirectory _sql = new();

    public void Dispose() => _sql.Dispose();

    [Fact]
    public void New_creates_up_and_down_scripts_of_both_engines_with_the_next_number()
    {
        var created = NewVerb.Create(_sql.Path, "add_owner");

        Assert.Equal(Four.Select(file => Path.Combine(_sql.Path, file)), created);
        Assert.Equal(["postgres/0001_initial.sql", .. Four[..2], "sqlite/0001_initial.sql", .. Four[2..]], _sql.Files());
        Assert.Contains("0003_again.sql", NewVerb.Create(_sql.Path, "again")[0]);
    }

    [Fact]
    public void New_scripts_form_a_chain_and_contain_no_statements()
    {
        NewVerb.Create(_sql.Path, "add_owner");

        foreach (var script in new[] { "postgres", "sqlite" }.Select(engine => Chain.From(_sql.Path, engine).Scripts[1]))
        {
            Assert.True(script.Up.Transactional && script.Down!.Transactional);
            Assert.Empty(script.Up.Statements.Concat(script.Down.Statements));
            Assert.Contains("catalog-migrations verify --print", script.Up.Sql);
            Assert.All([script.Up.Sql, script.Down.Sql], text =>
                Assert.True(text.StartsWith("-- ", StringComparison.Ordinal) && text.EndsWith(".\n", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task Eight_concurrent_runs_create_eight_numbers_and_no_other_files()
    {
        const int many = 8;
        using var together = new Barrier(many);

        var created = await Task.WhenAll(Enumerable.Range(0, many).Select(number => Task.Factory.StartNew(() =>
        {
            together.SignalAndWait();
            return Path.GetFileName(NewVerb.Create(_sql.Path, $"change_{number}")[0])[..4];
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        Assert.Equal(Enumerable.Range(2, many).Select(number => $"000{number}"), created.Order(StringComparer.Ordinal));
        Assert.Equal(2 + (4 * many), _sql.Files().Count());
        Assert.Equal(1 + many, Chain.From(_sql.Path, "postgres").Scripts.Count);
        Assert.Equal(1 + many, Chain.From(_sql.Path, "sqlite").Scripts.Count);
    }

    [Fact]
    public void A_lock_file_of_another_run_is_waited_for_and_then_reported()
    {
        _sql.Write(".new.lock", "");

        var message = Assert.Throws<IOException>(() => NewVerb.Create(_sql.Path, "add_owner", TimeSpan.FromMilliseconds(50))).Message;

        Assert.Contains(Path.Combine(_sql.Path, ".new.lock"), message);
        Assert.Equal(3, _sql.Files().Count());
    }

    [Theory]
    [InlineData("Add Owner!", "add_owner")]
    [InlineData("add-owner.sql", "add_owner_sql")]
    [InlineData("../../etc", "etc")]
    [InlineData("Größe", "gr_e")]
    [InlineData("", "add_owner")]
    [InlineData("!", "add_owner")]
    public void An_invalid_name_is_refused_with_a_suggestion(string name, string suggested)
    {
        Assert.EndsWith($"catalog-migrations new {suggested}", NewVerb.NameError(name));
        Assert.Null(NewVerb.NameError(suggested));
    }

    [Fact]
    public void Engines_with_different_last_numbers_are_refused()
    {
        _sql.Write("sqlite/0002_late.sql", "");

        var message = Assert.Throws<MigrationException>(() => NewVerb.Create(_sql.Path, "add_owner")).Message;

        Assert.Contains("postgres is 0001_initial.sql", message);
        Assert.Contains("sqlite is 0002_late.sql", message);
        Assert.Equal(3, _sql.Files().Count());
    }

    [Theory]
    [InlineData("sqlite/down/0002_add_owner.sql")]
    [InlineData("postgres/down/0002_add_owner.sql")]
    public void An_existing_file_is_kept_and_no_other_is_created(string file)
    {
        _sql.Write(file, "mine");

        var message = Assert.Throws<IOException>(() => NewVerb.Create(_sql.Path, "add_owner")).Message;

        Assert.Contains(Path.GetFileName(file), message);
        Assert.Equal(new[] { "postgres/0001_initial.sql", "sqlite/0001_initial.sql", file }.Order(StringComparer.Ordinal), _sql.Files());
        Assert.Equal("mine", File.ReadAllText(Path.Combine(_sql.Path, file)));
    }

    [Fact]
    public void A_folder_that_cannot_be_created_leaves_no_files()
    {
        _sql.Write("sqlite/down", "a file where the folder should be");

        Assert.Throws<IOException>(() => NewVerb.Create(_sql.Path, "add_owner"));

        Assert.Equal(3, _sql.Files().Count());
        Assert.False(Directory.Exists(Path.Combine(_sql.Path, "postgres", "down")));
    }

    [Fact]
    public void The_number_after_9999_is_refused()
    {
        _sql.Write("postgres/9999_last.sql", "");
        _sql.Write("sqlite/9999_last.sql", "");

        Assert.Contains("9999", Assert.Throws<MigrationException>(() => NewVerb.Create(_sql.Path, "add_owner")).Message);
    }

    [Fact]
    public void The_nearest_sql_directory_in_a_parent_folder_is_found()
    {
        var root = Path.GetDirectoryName(_sql.Path)!;
        var below = Directory.CreateDirectory(Path.Combine(root, "a", "b")).FullName;

        Assert.Equal(_sql.Path, NewVerb.FindScripts(below));
        Assert.Equal(_sql.Path, NewVerb.FindScripts(root));
        Assert.Equal(_sql.Path, NewVerb.FindScripts(Path.Combine(_sql.Path, "postgres")));
        Assert.Contains("--scripts", Assert.Throws<MigrationException>(() => NewVerb.FindScripts(Path.GetPathRoot(root)!)).Message);
    }

    [Fact]
    public async Task The_console_prints_the_created_files_and_refuses_with_exit_2()
    {
        var json = await MigratorConsole.RunIn(Path.Combine(_sql.Path, "sqlite"), "new", "add_owner", "--json");
        using var document = JsonDocument.Parse(json.Output);
        Assert.Equal(
            (0, "0002_add_owner", 4), (json.Exit, document.RootElement.GetProperty("revision").GetString(),
                document.RootElement.GetProperty("files").GetArrayLength()));

        var text = await MigratorConsole.Run([], "new", "again", "--scripts", _sql.Path);
        Assert.Equal(4, text.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Count(File.Exists));

        var refused = await MigratorConsole.Run([], "new", "Add Owner!", "--scripts", _sql.Path);
        Assert.Equal(2, refused.Exit);
        Assert.Contains("catalog-migrations new add_owner", refused.Errors);
    }
}
