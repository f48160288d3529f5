using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Catalog.Data.Ingest;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests.Ingest;

/// <summary>The spans of group commits, when a listener records them.</summary>
[Trait("Category", "Fast")]
public sealed class IngestSpanTests : IDisposable
{
    private readonly string _queue = $"q{Guid.NewGuid():N}";
    private readonly ConcurrentQueue<Activity> _spans = new();
    private readonly ActivityListener _listener;
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public IngestSpanTests()
    {
        _listener = new()
        {
            ShouldListenTo = source => source.Name == "Catalog",
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = _spans.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_lone_request_is_the_parent_of_its_commit_and_a_crowd_is_linked_with_it()
    {
        var queue = new IngestQueue<string, bool>(_queue, new(1, 100), _services.GetRequiredService<IMeterFactory>(), _ => null, Write);
        var (first, done1) = Request(queue);
        var (second, done2) = Request(queue);
        queue.Start();
        await Task.WhenAll(done1, done2);
        var (third, done3) = Request(queue);
        await done3;
        await queue.Stop(Ct);

        var spans = _spans.Where(span => span.OperationName == $"ingest {_queue}").ToList();
        Assert.Equal(2, spans.Count);
        Assert.Equal(default, spans[0].ParentSpanId);
        Assert.Equal([first, second], spans[0].Links.Select(link => link.Context.TraceId));
        Assert.Equal(2, spans[0].GetTagItem("catalog.ingest.batch"));
        Assert.Equal(third, spans[1].TraceId);
        Assert.Empty(spans[1].Links);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _services.Dispose();
    }

    // Begins as a request does: with an activity that the writer must not inherit.
    private static (ActivityTraceId Trace, Task Done) Request(IngestQueue<string, bool> queue)
    {
        using var request = new Activity("request").SetParentId(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom()).Start();
        return (request.TraceId, queue.Enqueue("default", ["item"], 1)!.Value.AsTask());
    }

    private static async Task Write(IReadOnlyList<IngestRequest<string, bool>> batch)
    {
        await Task.Yield();
        Assert.StartsWith("ingest ", Activity.Current!.OperationName);
        foreach (var request in batch)
        {
            request.Complete([true]);
        }
    }
}
