using System.Globalization;
using Catalog.Api.Checks;
using Catalog.Api.Http;
using Catalog.Api.Runs;
using Catalog.Data.Runs;

namespace Catalog.Api.Demo;

/// <summary>A post of a demo client and its time. The post is either an event of a run or a check result.</summary>
internal sealed record DemoPost(DateTimeOffset At, PostRun? Run, PostCheckResult? Result);

/// <summary>One run of a pipeline of the demo: its course, and the posts that report it.</summary>
internal sealed class DemoRun
{
    private readonly DemoPipeline _pipeline;
    private readonly DateTimeOffset _tick;
    private readonly DateTimeOffset _now;
    private readonly string _id;
    private readonly bool _isRerun;
    private readonly DateTimeOffset _start;
    private readonly List<DateTimeOffset> _ends = [];
    private readonly List<long> _rows = [];
    private readonly string? _error;
    private readonly int _failed;

    /// <param name="pipeline">The pipeline.</param>
    /// <param name="tick">The scheduled time.</param>
    /// <param name="now">When the demo was started.</param>
    /// <param name="isRerun">Whether a person started it after a failure.</param>
    public DemoRun(DemoPipeline pipeline, DateTimeOffset tick, DateTimeOffset now, bool isRerun = false)
    {
        (_pipeline, _tick, _now, _isRerun) = (pipeline, tick, now, isRerun);
        _id = $"{pipeline.Name}-{tick.ToString("yyyyMMdd'T'HHmm", CultureInfo.InvariantCulture)}{(isRerun ? "-rerun" : "")}";
        var random = DemoSeries.Seeded(_id);
        var isBroken = (now - tick).TotalDays < pipeline.FailsSinceDays;
        _failed = isBroken ? 0 : !isRerun && random.NextDouble() < 0.018 ? random.Next(pipeline.Stages.Length) : -1;
        _error = _failed < 0 ? null : DemoErrors.Of(pipeline.Stages[_failed], random);
        _start = (isRerun ? tick.AddMinutes((pipeline.Minutes * 2) + 40) : tick).AddSeconds(random.Next(1, IsStream ? 4 : 25));
        // All runs of a stream have the same length, so that each run ends before the next run starts.
        var seconds = pipeline.Minutes * 60 * (IsStream ? 1 : 0.85 + (0.3 * random.NextDouble()))
            * (random.NextDouble() < 0.03 && !IsStream ? 2.4 : 1);
        var weights = pipeline.Stages.Select(_ => 0.5 + random.NextDouble()).ToList();
        var end = _start;
        foreach (var weight in weights)
        {
            end = end.AddSeconds(Math.Max(1, seconds * weight / weights.Sum()));
            _ends.Add(end);
            _rows.Add((long)(pipeline.Rows * DemoSeries.Demand(tick, IsWithinDay) * (0.96 + (0.04 * random.NextDouble()))));
        }
    }

    public bool Failed => _failed >= 0;

    public DateTimeOffset End => _ends[Failed ? _failed : ^1];

    private bool IsStream => _pipeline.Schedule is null;

    // True for streams, and for schedules that run every hour or every few hours.
    private bool IsWithinDay => IsStream || _pipeline.Schedule!.Split(' ')[1].StartsWith('*');

    /// <summary>The posts of the run, in the order of time.</summary>
    /// <param name="inDetail">
    /// Whether each stage is reported when it starts and ends. Otherwise one event at the end of the run reports all
    /// stages.
    /// </param>
    public IEnumerable<DemoPost> Posts(bool inDetail) =>
    [
        .. inDetail ? Detail() : [],
        new(End.AddSeconds(1), Event(Failed ? RunStatus.Failed : RunStatus.Completed) with
        {
            StartedAt = _start,
            CompletedAt = End,
            RecordsProcessed = Failed ? null : _rows[^1],
            ErrorMessage = Failed ? $"Stage {_pipeline.Stages[_failed]} failed: {_error}" : null,
            ExternalUrl = $"https://scheduler.example/runs/{_id}",
            Stages = [.. _pipeline.Stages.Index().Skip(inDetail ? _failed < 0 ? _pipeline.Stages.Length - 1 : _failed : 0)
                .Select(stage => Ended(stage.Index))],
        }, null),
        .. Failed ? [] : _pipeline.Checks.Select(check => new DemoPost(End.AddSeconds(3), null, Result(check))),
    ];

    private IEnumerable<DemoPost> Detail()
    {
        yield return new(_start.AddSeconds(1), Event(RunStatus.Running) with { StartedAt = _start, Stages = [Running(0, null)] }, null);
        for (var i = 0; i < _ends.Count && (i < _failed || !Failed); i++)
        {
            var start = i == 0 ? _start : _ends[i - 1];
            for (var step = 1; IsStream && start.AddSeconds(step * 5) < _ends[i].AddSeconds(-2); step++)
            {
                var share = (start.AddSeconds(step * 5) - start) / (_ends[i] - start);
                yield return new(start.AddSeconds(step * 5),
                    Event(RunStatus.Running) with { Stages = [Running(i, (long)(_rows[i] * share))] }, null);
            }

            if (i < _ends.Count - 1)
            {
                yield return new(_ends[i].AddSeconds(1), Event(RunStatus.Running) with { Stages = [Ended(i), Running(i + 1, null)] }, null);
            }
        }
    }

    private PostRun Event(string status) => new()
    {
        Id = _id,
        PipelineId = _pipeline.Name,
        Status = status,
        Trigger = _isRerun ? "manual" : IsStream ? "stream" : "schedule",
    };

    private PostedStage Running(int place, long? rows) => new()
    {
        StageName = _pipeline.Stages[place],
        Status = RunStatus.Running,
        StartedAt = place == 0 ? _start : _ends[place - 1],
        RecordsProcessed = rows,
    };

    private PostedStage Ended(int place) => Failed && place > _failed
        ? new() { StageName = _pipeline.Stages[place], Status = RunStatus.Skipped }
        : new()
        {
            StageName = _pipeline.Stages[place],
            Status = place == _failed ? RunStatus.Failed : RunStatus.Completed,
            StartedAt = place == 0 ? _start : _ends[place - 1],
            CompletedAt = _ends[place],
            RecordsProcessed = place == _failed ? null : _rows[place],
            ErrorMessage = place == _failed ? _error : null,
        };

    private PostCheckResult Result(DemoCheck check)
    {
        var value = DemoSeries.Value(check, _tick, _now, IsWithinDay);
        var status = check.StatusOf(value);
        var countsRows = check.Kind is "not_null" or "unique" or "accepted_values" or "relationships";
        return new()
        {
            Id = $"{_id}-{check.Id}",
            PipelineId = _pipeline.Name,
            CheckId = check.Id,
            RunId = _id,
            Status = status,
            Severity = check.Severity,
            Dataset = check.Dataset,
            ObservedValue = new RawJson(value.ToString(CultureInfo.InvariantCulture)),
            FailedRows = countsRows ? (long)value : null,
            TotalRows = countsRows ? _rows[^1] : null,
            Message = DemoSeries.Message(check, status, value),
            ExecutedAt = End.AddSeconds(2),
            DurationSeconds = Math.Round(0.2 + (DemoSeries.Seeded(check.Id + _id).NextDouble() * 2), 2),
        };
    }
}
