using System.Diagnostics;

namespace Catalog.Data.Migrations.Engine;

/// <summary>A script that is being applied or reverted, and its journal and history rows.</summary>
/// <param name="script">The script.</param>
/// <param name="direction"><see cref="Directions.Upgrade"/> or <see cref="Directions.Downgrade"/>.</param>
/// <param name="time">The clock for journal times.</param>
internal sealed class ScriptStep(Script script, string direction, TimeProvider time)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public Script Script { get; } = script;

    public string Direction { get; } = direction;

    public bool IsUpgrade => Direction == Directions.Upgrade;

    /// <summary>The file to run.</summary>
    public SqlFile File => IsUpgrade ? Script.Up : Script.Down!;

    /// <summary>The duration so far in seconds, over all attempts.</summary>
    public double Seconds => Math.Round(_clock.Elapsed.TotalSeconds, 3);

    /// <summary>The journal row for the applied script.</summary>
    public AppliedScript Row => Journal.Row(Script, time) with { DurationSeconds = Seconds };

    /// <summary>The history row for the current attempt.</summary>
    /// <param name="outcome">See <see cref="Outcomes"/>.</param>
    public Attempt Attempt(string outcome) => new()
    {
        ScriptName = Script.Name,
        Direction = Direction,
        Outcome = outcome,
        At = time.Now(),
        DurationSeconds = outcome == Outcomes.Started ? null : Seconds,
    };
}
