using System.Text.Json;
using Catalog.Data.Executions.Kinds;

namespace Catalog.Tests.Executions;

/// <summary>
/// A definition that cannot run, or would not do what it says, is refused with the JSON pointer of the fault.
/// </summary>
[Trait("Category", "Fast")]
public sealed class CheckDefinitionTests
{
    [Theory]
    [InlineData("row_count", "{}")]
    [InlineData("not_null", """{"column":"a","params":{"where":"b > 1","samples":5},"warn":0,"fail":{"above":1,"unit":"percent"}}""")]
    [InlineData("unique", """{"columns":["a","b"],"params":{"measure":"surplus"}}""")]
    [InlineData("freshness", """{"column":"a","params":{"time_zone":"Europe/Berlin"},"fail":{"above":"2h"}}""")]
    [InlineData("cross_table_row_count", """{"params":{"other_table":"b"},"fail":{"above":1,"unit":"percent"}}""")]
    [InlineData("sql_value", """{"sql":"select 1 from t","fail":{"outside":[1,2]}}""")]
    public void A_definition_that_can_run_has_no_error(string kind, string definition) =>
        Assert.Empty(CheckDefinition.Validate(kind, "orders", JsonDocument.Parse(definition).RootElement));

    [Theory]
    [InlineData("unknown", "{}", "/kind")]
    [InlineData("not_null", "{}", "/column")]
    [InlineData("not_null", """{"column":"a","params":{"wher":"b > 1"}}""", "/params/wher")]
    [InlineData("not_null", """{"column":"a","params":{"samples":101}}""", "/params/samples")]
    [InlineData("not_null", """{"column":"a","params":{"samples":1,"group_by":"b"}}""", "/params/samples")]
    [InlineData("not_null", """{"column":"a","sql":"select 1 from t"}""", "/sql")]
    [InlineData("unique", """{"column":"a","params":{"samples":1}}""", "/params/samples")]
    [InlineData("unique", """{"column":"a","params":{"group_by":"b"}}""", "/params/group_by")]
    [InlineData("range", """{"column":"a"}""", "/params/min")]
    [InlineData("range", """{"column":"a","params":{"min":{}}}""", "/params/min")]
    [InlineData("range", """{"column":"a","params":{"min":2,"max":1}}""", "/params/max")]
    [InlineData("range", """{"column":"a","params":{"min":9007199254740993,"max":9007199254740992}}""", "/params/max")]
    [InlineData("not_null", """{"column":"a","fail":{"above":1000000001,"unit":"percent"}}""", "/fail")]
    [InlineData("length", """{"column":"a","params":{"min":"x"}}""", "/params/min")]
    [InlineData("pattern", """{"column":"a","params":{"regex":"a","like":"b"}}""", "/params/regex")]
    [InlineData("accepted_values", """{"column":"a"}""", "/params/values")]
    [InlineData("accepted_values", """{"column":"a","params":{"values":["x\u0000"]}}""", "/params/values")]
    [InlineData("avg", """{"column":"a"}""", "/fail")]
    [InlineData("avg", """{"column":"a","fail":{"above":5,"unit":"percent"}}""", "/fail")]
    [InlineData("avg", """{"column":"a","fail":{"below":1,"above":2}}""", "/fail")]
    [InlineData("avg", """{"column":"a","fail":{"larger":1}}""", "/fail")]
    [InlineData("avg", """{"column":"a","fail":{"between":[2,1]}}""", "/fail")]
    [InlineData("quantile", """{"column":"a","params":{"quantile":2,"min":1}}""", "/params/quantile")]
    [InlineData("freshness", """{"column":"a","params":{"time_zone":"Nowhere/Land"},"fail":1}""", "/params/time_zone")]
    [InlineData("freshness", """{"column":"a","fail":{"above":"2 hours"}}""", "/fail")]
    [InlineData("schema", """{"params":{"columns":["a"],"where":"b > 1"}}""", "/params/where")]
    [InlineData("volume_change", """{"params":{"min":1},"fail":10}""", "/params/min")]
    [InlineData("sql_rows", "{}", "/sql")]
    [InlineData("sql_rows", """{"sql":"select 1 from t","params":{"where":"b > 1"}}""", "/params/where")]
    public void A_definition_that_cannot_run_names_its_faulty_field(string kind, string definition, string pointer) =>
        Assert.Contains(pointer, CheckDefinition.Validate(kind, "orders", JsonDocument.Parse(definition).RootElement).Keys);
}
