// The container's health check: the image has no shell and no curl, so the question to /ready needs a program of its own.
// Exits 0 when the service is ready, else 1.
#:property PublishAot=false
#:property InvariantGlobalization=true

// A proxy that warehouses are reached through must not be asked for the service's own address.
using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(4) };
try
{
    using var answer = await client.GetAsync("http://127.0.0.1:8000/ready");
    Console.WriteLine(await answer.Content.ReadAsStringAsync());
    return answer.IsSuccessStatusCode ? 0 : 1;
}
catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
{
    Console.WriteLine(failure.Message);
    return 1;
}
