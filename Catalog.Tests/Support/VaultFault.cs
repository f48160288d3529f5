using Microsoft.AspNetCore.Http;

namespace Catalog.Tests.Support;

/// <summary>Faulty answers of a server in the place of Vault. A word selects each fault.</summary>
internal static class VaultFault
{
    /// <returns>False if the word selects no fault. The stand-in then answers as usual.</returns>
    public static async Task<bool> Respond(HttpContext context, string fault)
    {
        var response = context.Response;
        switch (fault)
        {
            case "forbidden":
                response.StatusCode = 403;
                return true;
            case "500":
                response.StatusCode = 500;
                return true;
            case "slow":
                await Task.Delay(TimeSpan.FromSeconds(10), context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                return true;
            case "slow body":
                for (var part = 0; part < 40 && !context.RequestAborted.IsCancellationRequested; part++)
                {
                    await response.WriteAsync(" ");
                    await response.Body.FlushAsync();
                    await Task.Delay(200);
                }

                return true;
            case "reset":
                context.Abort();
                return true;
            case "html":
                await response.WriteAsync($"<html>{FakeVault.Canary}</html>");
                return true;
            case "list":
                await response.WriteAsync($$"""{"data":["{{FakeVault.Canary}}"]}""");
                return true;
            case "huge":
                await response.WriteAsync(new string(' ', 2_000_000));
                return true;
            case "redirect":
                response.Redirect("http://localhost:1/v1/secret/data/default/db");
                return true;
            case "circle":
                response.Redirect(context.Request.Path);
                return true;
            default:
                return false;
        }
    }
}
