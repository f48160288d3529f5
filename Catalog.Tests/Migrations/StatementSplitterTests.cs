using Catalog.Data.Migrations;

namespace Catalog.Tests.Migrations;

[Trait("Category", "Fast")]
public sealed class StatementSplitterTests
{
    /// <summary>Each text is one statement, wherever it has semicolons.</summary>
    private static readonly string[] Whole =
    [
        "select 1",
        "select ';' as \"a;b\", `c;d`",
        "select 'it''s; a', \"a\"\";b\"",
        @"select E'it\'s; \\', e'\'', 'a\'",
        "select E'a\\'b'\n'c\\';d'",
        "select U&'\\0041;', u&'d\\;', X'41', n'a;'",
        "select /* a; /* b; */ c; */ 2",
        "select 1 -- a; 'b\n, 2",
        "do $$ begin perform 1; perform ';'; end $$",
        "do $a$ begin perform $b$;$b$; perform '$$'; end $a$",
        "select $1, a$b$c, 1$2 from t",
        "create function f() returns text language sql as $$ select ';'; $$",
        "create function f(a int) returns int language sql begin atomic select case when a > 1 then 2 else case a when 1 then 1 end "
            + "end; select 2; end",
        "create function f() returns void begin atomic end",
        "create trigger t after insert on a begin update a set b = case when c then 1 end; delete from b; end",
        "create temp trigger if not exists t before update of begin, \"end\" on a for each row when new.begin > 1 begin insert into "
            + "b values (new.end); select case 1 when 1 then 2 end; end",
        "create or replace trigger t after update of begin on a for each row when (old.begin is distinct from new.begin) execute "
            + "function f()",
        "create rule r as on insert to a do also (insert into b values (1); insert into c values (2))",
        "create table \"create trigger begin\" (\"begin\" text)",
        "create table if not exists trigger_begin (begin_atomic text)",
        "insert into a values ('--', '/*', '$$', '(')",
        "begin",
        "end",
    ];

    private static readonly string[] Between = [";", ";\n", ";\r\n", " ; ", ";;", "; -- a; 'b\n", ";/* ; /* ' */ */", ";\n\n-- it's\n"];

    public static readonly TheoryData<string> Statements = [.. Whole];

    [Theory]
    [MemberData(nameof(Statements))]
    public void A_statement_is_not_split(string sql)
    {
        Assert.Equal([sql], Split(sql));
        Assert.Equal([sql, "select 2"], Split($"{sql};\nselect 2;"));
        Assert.Equal([sql.ReplaceLineEndings("\r\n")], Split(sql.ReplaceLineEndings("\r\n")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Randomly_joined_statements_are_split_again(int seed)
    {
#pragma warning disable CA5394 // Each run needs the same order.
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            string[] statements = random.GetItems(Whole, random.Next(1, 12));
            var sql = random.GetItems(["", "\uFEFF", "\n ", "-- first;\n"], 1)[0];
            var lines = new List<int>();
            foreach (var statement in statements)
            {
                lines.Add(1 + sql.Count(character => character == '\n'));
                sql += statement + random.GetItems(Between, 1)[0];
            }

            var split = StatementSplitter.Statements(sql);

            Assert.Equal(statements, split.Select(statement => statement.Sql));
            Assert.Equal(lines, split.Select(statement => statement.Line));
        }
#pragma warning restore CA5394
    }

    [Theory]
    [InlineData("")]
    [InlineData("\uFEFF")]
    [InlineData(" ;; ;\n")]
    [InlineData("-- nothing; to do")]
    [InlineData("/* nothing; /* to */ do */;")]
    public void A_text_without_statements_has_none(string sql) => Assert.Empty(StatementSplitter.Statements(sql));

    [Fact]
    public void A_byte_order_mark_is_not_part_of_the_first_word() =>
        Assert.Equal(["select 1", "select 2"], Split("\uFEFFselect 1;\r\nselect 2;\r\n"));

    [Fact]
    public void A_line_comment_also_ends_at_a_single_carriage_return() =>
        Assert.Equal(["select 1", "drop table t"], Split("select 1; -- hidden\rdrop table t;"));

    [Theory]
    [InlineData("select 1;\nselect 'a;\n\n", 2)]
    [InlineData("select 1;\n\nselect E'a\\'", 3)]
    [InlineData("select \"a\n", 1)]
    [InlineData("\n\nselect `a", 3)]
    [InlineData("select 1;\r\n/* a /* b */\r\n", 2)]
    [InlineData("do $$\nbegin\n$a$", 1)]
    [InlineData("select\n$a$ b $A$", 2)]
    [InlineData("create table t\n(\n  a text;\nselect 1;", 2)]
    [InlineData("create trigger t after insert on a\nbegin\n  select 1;\nselect 2;", 2)]
    [InlineData("create function f() returns int\n\nbegin atomic\n  select case 1 when 1 then 1 end;\n", 3)]
    public void An_unterminated_statement_is_reported_with_its_first_line(string sql, int line)
    {
        var exception = Assert.Throws<UnclosedException>(() => StatementSplitter.Statements(sql));

        Assert.Equal(line, exception.Line);
        Assert.Contains($"line {line} ", exception.Message);
    }

    [Fact]
    public void Tokens_have_a_kind_and_a_line_and_exclude_comments()
    {
        var statement = Assert.Single(
            StatementSplitter.Statements(
                "create table \"A b\" -- c\n(d numeric(9.5), e text default E'f\\'' /* g */\n, h int default $$i$$)"));

        Assert.Equal("create table \"A b\" ( d numeric ( 9.5 ) , e text default E'f\\'' , h int default $$i$$ )",
            string.Join(' ', statement.Tokens.Select(token => token.Text)));
        Assert.Equal(
            [SqlTokenKind.Word, SqlTokenKind.Word, SqlTokenKind.QuotedName, SqlTokenKind.Symbol, SqlTokenKind.Word, SqlTokenKind.Word,
                SqlTokenKind.Symbol, SqlTokenKind.Number],
            statement.Tokens.Take(8).Select(token => token.Kind));
        Assert.Equal([1, 2, 3], statement.Tokens.Where(token => token.Text is "create" or "d" or "h").Select(token => token.Line));
        Assert.Equal([(1, "c"), (2, "g")], statement.Comments);
    }

    [Fact]
    public void Comments_belong_to_the_next_statement_and_trailing_comments_to_none()
    {
        const string Sql = "-- a\nselect 1; -- b\n/* c */ select /* d */ 2;\n-- e\n";

        Assert.Equal(["a"], StatementSplitter.Statements(Sql)[0].Comments.Select(comment => comment.Text));
        Assert.Equal([(2, "b"), (3, "c"), (3, "d")], StatementSplitter.Statements(Sql)[1].Comments);
        Assert.Equal([(4, "e")], StatementSplitter.TrailingComments(Sql));
        Assert.Equal([(1, "a")], StatementSplitter.TrailingComments("-- a"));
    }

    [Fact]
    public void Quoted_text_is_not_a_word()
    {
        var tokens = Assert.Single(StatementSplitter.Statements("select \"drop\", 'drop', DROP")).Tokens;

        Assert.Equal([tokens[^1]], tokens.Where(token => token.Is("drop")));
    }

    private static IEnumerable<string> Split(string sql) => StatementSplitter.Statements(sql).Select(statement => statement.Sql);
}
