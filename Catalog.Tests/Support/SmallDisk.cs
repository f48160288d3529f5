using System.Diagnostics;

namespace Catalog.Tests.Support;

/// <summary>A file system of a few megabytes in memory, which a test fills and empties.</summary>
public sealed class SmallDisk : IDisposable
{
    /// <param name="megabytes">Its size.</param>
    public SmallDisk(int megabytes)
    {
        Execute("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", Folder);
        PostgresCluster.HandOver(Folder);
    }

    /// <summary>The folder where it is mounted.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("catalog-disk-").FullName;

    private string Ballast => Path.Combine(Folder, "ballast");

    /// <summary>Without the right to mount, tests are skipped.</summary>
    public static void Require() =>
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "Mounting a small file system needs root.");

    /// <summary>Writes a file until no space is left.</summary>
    public void Fill()
    {
        using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[4096];
        try
        {
            while (true)
            {
                file.Write(block);
            }
        }
        catch (IOException)
        {
            // The disk is full.
        }
    }

    /// <summary>Removes that file.</summary>
    public void Free() => File.Delete(Ballast);

    public void Dispose()
    {
        Execute("umount", "--lazy", Folder);
        Directory.Delete(Folder);
    }

    private static void Execute(params string[] command)
    {
        using var process = Process.Start(command[0], command[1..]);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', command)} ended with {process.ExitCode}.");
    }
}
