using Catalog.Data.Organizations;

namespace Catalog.Data.Warehouses;

/// <summary>Finds the files of SQLite and DuckDB warehouses below the operator's folder.</summary>
/// <param name="folder">The folder with one subfolder per organization; null when the operator has set none.</param>
public sealed class WarehouseFiles(string? folder)
{
    private const int MaxLength = 255;

    /// <summary>Whether a text can be the name of a file below an organization's folder.</summary>
    public static bool IsName(string path) => path.Length is > 0 and <= MaxLength
        && path.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-' or '.' or '/')
        && path.Split('/').All(part => part.Length > 0 && part.TrimStart('.').Length > 0);

    /// <summary>The absolute path of a file of an organization.</summary>
    /// <exception cref="WarehouseException">
    /// The operator has set no folder, the name is not allowed, a part of the path is a link, or there is no such file.
    /// </exception>
    public string Find(string organization, string path)
    {
        if (folder is null)
        {
            throw WarehouseMessages.Refused(
                "This installation has no folder for files of warehouses. Ask the operator to set DATAXPIPE_WAREHOUSE_FILES.");
        }

        if (!IsName(path) || !Organization.IsId(organization))
        {
            throw WarehouseMessages.Refused("path must be the name of a file below the folder of the organization.");
        }

        var place = Path.Combine(Path.GetFullPath(folder), organization);
        foreach (var part in path.Split('/'))
        {
            place = Path.Combine(place, part);
            // A link could lead to a file of another organization, or of the operator.
            if (new FileInfo(place).LinkTarget is not null)
            {
                throw WarehouseMessages.Refused("path must not contain a link.");
            }
        }

        // A pipe, a device or a socket has no length. Opening it could block for ever.
        return new FileInfo(place) is not { Exists: true } file
            ? throw new WarehouseException(WarehouseProblem.DatabaseMissing,
                "There is no file of this name below the folder of the organization. Check path.")
            : file.Length > 0 ? place
            : throw WarehouseMessages.Refused(
                "path names an empty file, or something that is not a file. Give the name of a database file.");
    }
}
