using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Migrations;

namespace Catalog.Tests.Secrets;

/// <summary>A record prints all its members, so a record with a secret must have its own text.</summary>
[Trait("Category", "Fast")]
public sealed partial class SecretRecordTests
{
    [Fact]
    public void Records_with_secrets_do_not_print_them()
    {
        Assembly[] assemblies = [typeof(Scopes).Assembly, typeof(CatalogData).Assembly, typeof(ExitCode).Assembly];
        var printing = assemblies
            .SelectMany(assembly => assembly.GetTypes())
            .Where(type => IsGenerated(type, "PrintMembers") && IsGenerated(type, "ToString"))
            .Where(type => type.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
                .Any(property => property.PropertyType == typeof(string) && Secret().IsMatch(property.Name)))
            .Select(type => type.FullName!).Order(StringComparer.Ordinal);

        Assert.Equal([], printing);
    }

    private static bool IsGenerated(Type type, string method) =>
        type.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            .Any(own => own.Name == method && own.IsDefined(typeof(CompilerGeneratedAttribute)));

    [GeneratedRegex("Secret|Password|Token|ApiKey|AccessKey|Dsn|ConnectionString")]
    private static partial Regex Secret();
}
