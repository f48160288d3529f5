namespace Catalog.Api.Demo;

/// <summary>Everything that the clients of the demo post, in order of time: a month that has passed, and what follows.</summary>
/// <param name="now">When the demo was started.</param>
internal sealed class DemoTimeline(DateTimeOffset now)
{
    /// <summary>How far back the data goes.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromDays(30);

    /// <summary>Younger runs are reported by an event for each stage, older ones by one event: that is fewer commits.</summary>
    public static readonly TimeSpan Detailed = TimeSpan.FromDays(1);

    // A stream has a run every two minutes. A month of them would hide the other runs.
    private static readonly TimeSpan Streamed = TimeSpan.FromMinutes(30);

    private readonly PriorityQueue<DemoPost, DateTimeOffset> _posts = new();
    private DateTimeOffset _planned = now - Length;

    /// <summary>The time of the first post that was not taken yet.</summary>
    public DateTimeOffset Next
    {
        get
        {
            // A run that starts later may post before the last post of an earlier run.
            while (!_posts.TryPeek(out _, out var next) || next >= _planned)
            {
                Plan();
            }

            return _posts.Peek().At;
        }
    }

    /// <summary>Takes the posts before a time, in order.</summary>
    public List<DemoPost> Take(DateTimeOffset until)
    {
        List<DemoPost> posts = [];
        while (Next < until)
        {
            posts.Add(_posts.Dequeue());
        }

        return posts;
    }

    // Plans the runs that start in the next day; after the start of the demo, in the next hour.
    private void Plan()
    {
        var until = _planned < now ? _planned.AddDays(1) : _planned.AddHours(1);
        foreach (var pipeline in DemoPipelines.All)
        {
            var from = pipeline.Schedule is null && _planned < now - Streamed ? now - Streamed : _planned;
            var stop = pipeline.StoppedDaysAgo is { } days ? now.AddDays(-days) : DateTimeOffset.MaxValue;
            foreach (var tick in pipeline.Ticks(from, until < stop ? until : stop))
            {
                Plan(pipeline, new(pipeline, tick, now), tick);
            }
        }

        _planned = until;
    }

    private void Plan(DemoPipeline pipeline, DemoRun run, DateTimeOffset tick)
    {
        var inDetail = tick > now - Detailed;
        Add(run.Posts(inDetail));
        // A person starts a daily run again, if its failure has not lasted for days.
        if (run.Failed && pipeline is { FailsSinceDays: null, Schedule: { } schedule } && !schedule.Contains('/', StringComparison.Ordinal)
            && char.IsAsciiDigit(schedule.Split(' ')[1][0]))
        {
            Add(new DemoRun(pipeline, tick, now, isRerun: true).Posts(inDetail));
        }
    }

    private void Add(IEnumerable<DemoPost> posts) => _posts.EnqueueRange(posts.Select(post => (post, post.At)));
}
