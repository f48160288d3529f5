using System.Text;

namespace Catalog.Bench.Load;

/// <summary>
/// The check result that all workloads post. As most clients do, it omits id and time; it has every other field.
/// </summary>
internal static class ResultBody
{
    public const int Pipelines = 20;

    /// <summary>The result as JSON. The number selects pipeline, check, run and dataset.</summary>
    public static byte[] Json(int number) => Encoding.UTF8.GetBytes(Text(number));

    public static string Text(int number) => $$$"""
        {"pipeline_id":"{{{Pipeline(number)}}}","check_id":"orders_row_count_{{{number % 100}}}","run_id":"scheduled__2026-01-01T{{{number % 1000:000000}}}","status":"pass","severity":"error","dataset":"warehouse.sales.orders_{{{number % 200}}}","observed_value":{{{number * 37 % 100003}}},"expected":{"min":1000,"max":100003},"failed_rows":0,"total_rows":{{{number * 13 % 5000000}}},"message":"row count of the last load lies within the bounds that the owners of the table agreed on in spring","duration_seconds":0.412,"metadata":{"task":"check_orders","attempt":1,"worker":"worker-{{{number % 16}}}"}}
        """;

    public static string Array(int count) => $"[{string.Join(',', Enumerable.Range(0, count).Select(Text))}]";

    public static string Pipeline(int number) => $"daily_orders_{number % Pipelines}";
}
