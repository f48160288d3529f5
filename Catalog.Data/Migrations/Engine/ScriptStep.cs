using System.Diagnostics;

namespace Catalog.Data.Migrations.Engine;

/// <summary>A script that is applied or undone now, and what is written down of it.</summary>
/// <param name="script">The revision.</param>
/// <param name="direction"><see cref="Directions.Upgrade"/> or <see cref="Directions.Downgrade"/>.</param>
/// <param name="time">What the journal takes for the present.</param>
internal sealed class ScriptStep(Script script, string direction, TimeProvider time)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public Script Script { get; } = script;

    public string Direction { get; } = direction;

    public bool IsUpgrade => Direction == Directions.Upgrade;

    /// <summary>The file that is run.</summary>
    public SqlFile File => IsUpgrade ? Script.Up : Script.Down!;

    /// <summary>How long it has taken so far, all tries together.</summary>
    public double Seconds => Math.Round(_clock.Elapsed.TotalSeconds, 3);

    /// <summary>The journal's row once it is applied.</summary>
    public AppliedScript Row => Journal.Row(Script, time) with { DurationSeconds = Seconds };

    /// <summary>The history's row.</summary>
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
