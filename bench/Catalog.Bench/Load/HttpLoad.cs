using System.Globalization;
using System.Text;

namespace Catalog.Bench.Load;

/// <summary>A request. Clients send the requests of a list one after the other, and start again at the end.</summary>
internal sealed record Request(string Method, string Path, string? Body = null)
{
    /// <summary>A text in a body that is replaced by twelve digits, which differ in every pass over the requests.</summary>
    public const string Sequence = "SEQUENCE____";
}

/// <summary>Clients that send the next request as soon as the last is answered: wrk with one thread.</summary>
internal sealed class HttpLoad(TestBed testBed, Service service, string name, int clients, IReadOnlyList<Request> requests,
    int rowsPerRequest = 1)
{
    private readonly string _script = WriteScript(testBed, service, requests);

    public Candidate Candidate => new(name, Run);

    private async Task<Sample> Run(int seconds, CancellationToken ct)
    {
        var (serviceSeconds, postgresSeconds) = (ProcessUsage.CpuSeconds(service.ProcessId), service.UsesPostgres
            ? ProcessUsage.CpuSecondsWithChildren(testBed.Postgres.ProcessId) : 0);
        var output = await ProcessRunner.Run(
            ["wrk", "-t1", $"-c{clients}", $"-d{seconds}s", "--timeout", "10s", "-s", _script, service.Address.ToString()],
            ct, TimeSpan.FromSeconds(seconds + 30));
        (serviceSeconds, postgresSeconds) = (ProcessUsage.CpuSeconds(service.ProcessId) - serviceSeconds, service.UsesPostgres
            ? ProcessUsage.CpuSecondsWithChildren(testBed.Postgres.ProcessId) - postgresSeconds : 0);

        var line = output.Split('\n').SingleOrDefault(line => line.StartsWith("bench ", StringComparison.Ordinal))
            ?? throw new BenchException($"wrk printed no summary:\n{output}\n{service.Output}");
        var numbers = line.Split(' ').Skip(1).Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        var (answers, duration, rejected, socketErrors) = (numbers[0], numbers[1], numbers[2], numbers[3]);
        var counted = (answers - rejected) * rowsPerRequest;
        return new()
        {
            Rate = counted / duration * 1e6,
            P50 = numbers[4] / 1000,
            P95 = numbers[5] / 1000,
            P99 = numbers[6] / 1000,
            ServiceMicroseconds = serviceSeconds / counted * 1e6,
            PostgresMicroseconds = service.UsesPostgres ? postgresSeconds / counted * 1e6 : null,
            Acknowledged = (long)counted,
            Failed = (long)(rejected + socketErrors),
        };
    }

    private static string WriteScript(TestBed testBed, Service service, IReadOnlyList<Request> requests)
    {
        var numbered = requests.Any(request => request.Body?.Contains(Request.Sequence, StringComparison.Ordinal) == true);
        var lua = new StringBuilder($"local requests, last, numbered = {{}}, 0, {(numbered ? "true" : "false")}\nfunction init(arguments)\n");
        lua.Append(CultureInfo.InvariantCulture,
            $"  local headers = {{ [\"X-API-KEY\"] = \"{service.Key}\", [\"Content-Type\"] = \"application/json\" }}\n");
        foreach (var request in requests)
        {
            lua.Append(CultureInfo.InvariantCulture,
                $"  requests[#requests + 1] = wrk.format(\"{request.Method}\", \"{request.Path}\", headers, "
                    + $"{(request.Body is null ? "nil" : $"[==[{request.Body}]==]")})\n");
        }

        lua.Append("""
            end
            local pass = os.time() % 1000000 * 1000000
            function request()
              last = last % #requests + 1
              if last == 1 then pass = pass + 1 end
              if not numbered then return requests[last] end
              return (requests[last]:gsub("SEQUENCE____", string.format("%012d", pass)))
            end
            function done(summary, latency, _)
              local errors = summary.errors
              io.write(string.format("bench %d %d %d %d %d %d %d\n", summary.requests, summary.duration, errors.status,
                errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50), latency:percentile(95), latency:percentile(99)))
            end
            """);
        var path = testBed.NewFile("requests.lua");
        File.WriteAllText(path, lua.ToString());
        return path;
    }
}
