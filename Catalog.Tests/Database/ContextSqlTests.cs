using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;

namespace Catalog.Tests.Database;

/// <summary>The text that sets role and organization before a statement.</summary>
[Trait("Category", "Fast")]
public sealed class ContextSqlTests
{
    [Fact]
    public void On_plain_Postgres_the_organization_is_a_parameter_of_one_statement()
    {
        var context = ContextSql.WithParameter("select set_config('app.organization_id', @app_context, true)");

        Assert.Equal("select set_config('app.organization_id', @app_context, true);\nselect 1", context.Before("select 1", "acme", false));
        Assert.Equal(context.Before("select 1", "acme", false), context.Before("select 1", "globex", true));
    }

    [Fact]
    public void On_Citus_a_statement_has_a_transaction_block_unless_it_is_in_one()
    {
        var context = PostgresCitus.Context("", "catalog_app", "app.organization_id");

        const string Settings = """
            set local citus.propagate_set_commands = 'local';
            set local role "catalog_app";
            set local app.organization_id = E'acme';
            """;
        Assert.Equal($"begin;\n{Settings}\nselect 1\n;\ncommit", context.Before("select 1", "acme", inTransaction: false));
        Assert.Equal($"{Settings}\nselect 1", context.Before("select 1", "acme", inTransaction: true));
        Assert.False(context.ReturnsRow);
    }

    [Fact]
    public void Behind_a_pooler_the_session_settings_come_first() => Assert.StartsWith(
        "select set_config('row_security', 'on', true), true",
        PostgresCitus.Context("set_config('row_security', 'on', true), ", null, "app.organization_id").Statements("acme").First(),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("a'; drop table runs; --", @"E'a''; drop table runs; --'")]
    [InlineData(@"a\'b", @"E'a\\''b'")]
    [InlineData("", "E''")]
    public void The_literal_contains_the_whole_value(string value, string literal) => Assert.Equal(
        $"set local app.organization_id = {literal}",
        PostgresCitus.Context("", null, "app.organization_id").Statements(value).Last());

    [Fact]
    public void A_value_with_a_NUL_is_refused() => Assert.Throws<ArgumentException>(
        () => PostgresCitus.Context("", null, "app.organization_id").Statements("a\0b").Last());
}
