using Catalog.Data.Executions;

namespace Catalog.Api.Executions;

/// <summary>Limits how many executions of this replica use one connection at once.</summary>
internal sealed class ConnectionConcurrency(ExecutionSettings settings)
{
    private readonly Dictionary<(string Organization, string Connection), Turn> _turns = [];

    /// <summary>Waits until the connection is free, and runs the work.</summary>
    public async Task Run(string organization, string connection, Func<Task> work, CancellationToken ct)
    {
        var key = (organization, connection);
        Turn turn;
        lock (_turns)
        {
            turn = _turns.TryGetValue(key, out var known) ? known : _turns[key] = new(new(settings.PerWarehouse));
            turn.Users++;
        }

        try
        {
            await turn.Free.WaitAsync(ct);
            try
            {
                await work();
            }
            finally
            {
                turn.Free.Release();
            }
        }
        finally
        {
            lock (_turns)
            {
                turn.Users--;
                if (turn.Users == 0)
                {
                    _turns.Remove(key);
                }
            }
        }
    }

    private sealed class Turn(SemaphoreSlim free)
    {
        public SemaphoreSlim Free { get; } = free;

        public int Users { get; set; }
    }
}
