namespace Catalog.Tests.Pages.Browser;

/// <summary>The pages of the service, with the data of <see cref="ExampleData"/>.</summary>
public static class ExamplePages
{
    private static readonly string Hostile = Uri.EscapeDataString(ExampleData.Hostile);

    /// <summary>
    /// The names and addresses of the pages that need a session. <c>EXECUTION</c> and <c>KEY</c> stand for the ids that
    /// the service has chosen.
    /// </summary>
    public static readonly IReadOnlyDictionary<string, string> All = new Dictionary<string, string>
    {
        ["overview"] = "/ui?range=7d",
        ["pipelines"] = "/ui/pipelines",
        ["pipeline"] = $"/ui/pipelines/{ExampleData.Daily}",
        ["pipeline-stages"] = $"/ui/pipelines/{ExampleData.Wide}?tab=stages",
        ["pipeline-versions"] = $"/ui/pipelines/{ExampleData.Daily}?tab=versions",
        ["pipeline-body"] = $"/ui/pipelines/{ExampleData.Daily}?tab=body",
        ["pipeline-hostile"] = $"/ui/pipelines/{Hostile}",
        ["runs"] = "/ui/runs",
        ["runs-empty"] = "/ui/runs?pipeline_id=none",
        ["run-failed"] = $"/ui/runs/{ExampleData.Failed}",
        ["run-running"] = $"/ui/runs/{ExampleData.Running}",
        ["run-900-stages"] = $"/ui/runs/{ExampleData.WideRun}",
        ["run-hostile"] = $"/ui/runs/{Hostile}",
        ["checks"] = "/ui/checks",
        ["checks-flapping"] = "/ui/checks/flapping",
        ["check-results"] = "/ui/checks/results",
        ["check"] = $"/ui/checks/{ExampleData.Measured}?pipeline_id={ExampleData.Daily}&range=30d",
        ["check-hostile"] = $"/ui/checks/{Hostile}?pipeline_id={Hostile}",
        ["datasets"] = "/ui/datasets",
        ["dataset"] = $"/ui/datasets/{ExampleData.Hub}",
        ["dataset-hostile"] = $"/ui/datasets/{Hostile}",
        ["lineage-start"] = "/ui/lineage",
        ["lineage"] = $"/ui/lineage?dataset={ExampleData.Chain}",
        ["lineage-expanded"] = $"/ui/lineage?dataset={ExampleData.Chain}&depth=1000&nodes=250",
        ["lineage-250-neighbours"] = $"/ui/lineage?dataset={ExampleData.Hub}",
        ["lineage-path"] = $"/ui/lineage?dataset=layer_0.table_10&to={ExampleData.Chain}",
        ["lineage-columns"] = $"/ui/lineage/columns?dataset={ExampleData.Hub}",
        ["search"] = "/ui/search?q=orders",
        ["executions"] = "/ui/executions",
        ["execution"] = "/ui/executions/EXECUTION",
        ["connections"] = "/ui/connections",
        ["connection"] = $"/ui/connections/{ExampleData.Connection}",
        ["keys"] = "/ui/keys",
        ["key"] = "/ui/keys/KEY",
        ["usage"] = "/ui/usage",
        ["retention"] = "/ui/retention",
        ["audit"] = "/ui/audit",
        ["unread-facets"] = "/ui/unread-facets",
        ["not-found"] = "/ui/runs/no-such-run",
        ["wrong-filter"] = "/ui/runs?status=wrong",
    };

    /// <summary>
    /// The pages with an error status. The tests expect the message about this status in the console of the browser.
    /// </summary>
    public static readonly IReadOnlyDictionary<string, int> Errors = new Dictionary<string, int>
    {
        ["not-found"] = 404,
        ["wrong-filter"] = 422,
    };

    /// <summary>The names, for theories.</summary>
    public static TheoryData<string> Names => [.. All.Keys];

    /// <summary>The address of a page.</summary>
    public static string Address(string name, ExampleData data) => All[name]
        .Replace("EXECUTION", data.Execution, StringComparison.Ordinal).Replace("KEY", data.Key, StringComparison.Ordinal);
}
