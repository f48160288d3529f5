using Catalog.Api.Secrets;
using Catalog.Data.Connections;
using Catalog.Data.Settings;
using Catalog.Data.Warehouses;

namespace Catalog.Api.Connections;

/// <summary>Opens the warehouses of registered connections, with their secrets.</summary>
internal sealed class ConnectionWarehouses(
    ConnectionRepository connections, SecretBox box, WarehousePool pool, SecretResolver secretReferences)
{
    /// <summary>Tests a connection.</summary>
    /// <returns>The result; null when there is no such connection.</returns>
    public async Task<WarehouseTest?> Test(string organization, string id, CancellationToken ct)
    {
        if (await connections.Find(organization, id, ct) is not { } connection)
        {
            return null;
        }

        try
        {
            var test = await (await Warehouse(organization, connection, ct)).Test(ct);
            return test.State == WarehouseState.AuthenticationFailed && ForgetSecrets(organization, connection)
                ? await (await Warehouse(organization, connection, ct)).Test(ct) : test;
        }
        catch (WarehouseException exception)
        {
            return new(Enum.Parse<WarehouseState>(exception.Problem.ToString()), exception.Message);
        }
    }

    /// <summary>Opens a session that can only read. The caller closes it.</summary>
    /// <exception cref="WarehouseException">
    /// The connection does not exist, or its warehouse cannot be reached or refuses the login.
    /// </exception>
    public async Task<WarehouseSession> Open(string organization, string id, WarehouseLimits limits, CancellationToken ct)
    {
        var connection = await connections.Find(organization, id, ct)
            ?? throw new WarehouseException(WarehouseProblem.Unreachable, "The connection of the check does not exist. Register it.");
        try
        {
            return await (await Warehouse(organization, connection, ct)).Open(limits, ct);
        }
        catch (WarehouseException exception) when (exception.Problem == WarehouseProblem.AuthenticationFailed
            && ForgetSecrets(organization, connection))
        {
            return await (await Warehouse(organization, connection, ct)).Open(limits, ct);
        }
    }

    // A secret may have been replaced after it was read. So after a rejected login the secret is read again, and the
    // login is tried once more.
    private bool ForgetSecrets(string organization, Connection connection)
    {
        var references = ConnectionConfig.From(connection.Config, null).References.ToList();
        references.ForEach(reference => secretReferences.Forget(organization, reference));
        return references.Count > 0;
    }

    private async Task<Warehouse> Warehouse(string organization, Connection connection, CancellationToken ct)
    {
        // This check comes before the secrets are read, because a type without a driver needs no secrets.
        if (!WarehouseFactory.Types.Contains(connection.Type))
        {
            return pool.Get(organization, connection.Id, new() { Type = connection.Type });
        }

        var secrets = connection.Secrets is { } sealedSecrets ? box.Open(organization, connection.Id, sealedSecrets)
            ?? throw new WarehouseException(WarehouseProblem.SecretUnavailable,
                "The secrets of the connection cannot be decrypted with the key of this installation. Replace the connection, with its "
                    + "secrets, or ask the operator to restore the earlier key.") : null;
        var config = await ConnectionConfig.From(connection.Config, secrets)
            .WithSecrets(reference => secretReferences.Resolve(organization, reference, ct));
        try
        {
            return pool.Get(organization, connection.Id, config.Settings(connection.Type));
        }
        catch (SettingException)
        {
            // The connection was registered before the validation became stricter.
            throw new WarehouseException(WarehouseProblem.Unreachable, "The configuration of the connection is not valid. Replace it.");
        }
    }
}
