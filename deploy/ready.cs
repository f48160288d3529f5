// The health check of the container. The image has no shell and no curl, so a program requests /ready.
// Exits with 0 when the service is ready, otherwise with 1.
#:property PublishAot=false
#:property InvariantGlobalization=true

// HTTP_PROXY may be set for connections to warehouses; it must not be used for the address of the service.
using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(4) };
try
{
    using var answer = await client.GetAsync("http://127.0.0.1:8000/ready");
    Console.WriteLine(await answer.Content.ReadAsStringAsync());
    return answer.IsSuccessStatusCode ? 0 : 1;
}
catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
{
    Console.WriteLine(exception.Message);
    return 1;
}
