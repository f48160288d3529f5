namespace Catalog.Api.Demo;

/// <summary>
/// All posts of the demo clients, in the order of time: the posts of the past month, and the posts that follow.
/// </summary>
/// <param name="now">When the demo was started.</param>
internal sealed class DemoTimeline(DateTimeOffset now)
{
    /// <summary>How far back the data goes.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromDays(30);

    /// <summary>
    /// The age up to which a run is reported with events for each stage. An older run is reported with one event, so
    /// that there are fewer commits.
    /// </summary>
    public static readonly TimeSpan Detailed = TimeSpan.FromDays(1);

    // A stream has a run every two minutes. A month of these runs would hide the other runs, so a stream begins only
    // this long before the demo.
    private static readonly TimeSpan Streamed = TimeSpan.FromMinutes(30);

    private readonly PriorityQueue<DemoPost, DateTimeOffset> _posts = new();
    private DateTimeOffset _planned = now - Length;

    /// <summary>The time of the first post that is not taken yet.</summary>
    public DateTimeOffset Next
    {
        get
        {
            // A run can post before the last post of an earlier run. So all runs that start before the next post must
            // be planned.
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

    // Plans the runs of the next day. After the start of the demo, it plans the runs of the next hour.
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
        // When a daily or weekly run fails, a person starts it again, unless every run of the pipeline has failed for
        // days.
        if (run.Failed && pipeline is { FailsSinceDays: null, Schedule: { } schedule } && !schedule.Contains('/', StringComparison.Ordinal)
            && char.IsAsciiDigit(schedule.Split(' ')[1][0]))
        {
            Add(new DemoRun(pipeline, tick, now, isRerun: true).Posts(inDetail));
        }
    }

    private void Add(IEnumerable<DemoPost> posts) => _posts.EnqueueRange(posts.Select(post => (post, post.At)));
}
