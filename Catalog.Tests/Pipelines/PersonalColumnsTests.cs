using Catalog.Data.Pipelines;

namespace Catalog.Tests.Pipelines;

[Trait("Category", "Fast")]
public sealed class PersonalColumnsTests
{
    [Fact]
    public void Tagged_columns_of_the_dataset_are_personal()
    {
        const string Body = """
            {
              "name": "shop",
              "sources": [{ "id": "a", "object": "orders", "columns": [{ "name": "phone", "tags": ["PII"] }] }],
              "targets": [
                { "id": "b", "object": "orders", "columns": [
                  { "name": "Email", "tags": ["contact", "pii"] }, { "name": "amount", "tags": ["money"] }, { "name": "note" } ] },
                { "id": "c", "object": "other", "columns": [{ "name": "amount", "tags": ["pii"] }] }
              ]
            }
            """;
        var columns = PersonalColumns.Of(Body, "orders", "mart.orders");

        Assert.Equal(["Email", "phone"], columns.Order(StringComparer.Ordinal));
        Assert.Contains("email", columns);
    }

    [Theory]
    [InlineData("""{ "sources": "a", "targets": null }""")]
    [InlineData("""{ "sources": [1, { "object": 2 }, { "object": "orders", "columns": {} }] }""")]
    [InlineData("""{ "targets": [{ "object": "orders", "columns": ["email", { "name": 1, "tags": ["pii"] }, { "name": "a", "tags": "pii" }] }] }""")]
    public void Other_shapes_are_left_out(string body) => Assert.Empty(PersonalColumns.Of(body, "orders"));
}
