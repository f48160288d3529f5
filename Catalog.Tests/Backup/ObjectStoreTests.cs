using System.Security.Cryptography;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Catalog.Migrations.Backup;
using Catalog.Tests.Support;
using Microsoft.Extensions.Configuration;

namespace Catalog.Tests.Backup;

/// <summary>Backups in a bucket: with a working store, and with each fault at each request.</summary>
public sealed class ObjectStoreTests(SqliteTestDatabase database, BackupFolder folder) : IClassFixture<SqliteTestDatabase>,
    IClassFixture<BackupFolder>
{
    private const string Url = $"s3://{FakeS3.Bucket}/nightly";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_uploaded_backup_is_listed_verified_restored_drilled_and_pruned_in_the_bucket()
    {
        await using var store = await FakeS3.Start();
        store.Objects["nightly/other.txt"] = [2];
        var environment = store.Environment();
        var backup = await MigratorConsole.Run(database.Address, environment, "backup", "--output", folder.New(), "--upload", Url,
            "--json");
        Assert.True(backup.Exit == 0, backup.ToString());
        var name = Path.GetFileName(backup.Json.GetProperty("path").GetString()!);
        Assert.Equal([$"nightly/{name}", $"nightly/{name}.json", "nightly/other.txt"], store.Objects.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(await File.ReadAllBytesAsync(backup.Json.GetProperty("path").GetString()!, Ct), store.Objects[$"nightly/{name}"]);

        Assert.Equal("complete", (await MigratorConsole.Run("x.db", environment, "backups", "list", Url, "--deep", "--json")).Backups()
            .Single().GetProperty("state").GetString());
        Assert.Equal(0, (await MigratorConsole.Run("x.db", environment, "backups", "verify", "all", Url)).Exit);
        Assert.Equal(0, (await MigratorConsole.Run("x.db", environment, "backups", "verify", $"{Url}/{name}")).Exit);
        var target = Path.Combine(folder.Path, "restored.db");
        var restored = await MigratorConsole.Run(target, environment, "restore", $"{Url}/{name}");
        Assert.True(restored.Exit == 0, restored.ToString());
        Assert.Equal(await BackupSteps.Hash(database.Address), await BackupSteps.Hash(target));
        var drill = await MigratorConsole.Run(database.Address, environment, "backups", "drill", Url);
        Assert.True(drill.Exit == 0, drill.ToString());

        var again = await MigratorConsole.Run(database.Address, environment, "backup", "--output", folder.New(), "--upload", Url, "--keep",
            "1", "--json");
        Assert.True(again.Exit == 0, again.ToString());
        Assert.Equal(name, again.Json.GetProperty("removed").EnumerateArray().Single().GetString());
        Assert.DoesNotContain($"nightly/{name}", store.Objects.Keys);
        Assert.Equal(3, store.Objects.Count);
        foreach (var result in new[] { backup, restored, drill, again })
        {
            Assert.DoesNotContain("c4nary-S3-2219", result.ToString());
        }
    }

    [Fact]
    public async Task A_large_file_is_uploaded_in_parts_and_appears_after_the_last_part()
    {
        await using var store = await FakeS3.Start();
        var (path, manifest) = await Sample(40 << 20);
        using var client = Store(store);
        var visibleEarly = false;
        store.FaultFor = (_, method, _) =>
        {
            visibleEarly |= method == "PUT" && !store.Objects.IsEmpty && store.OpenUploads > 0;
            return S3Fault.None;
        };

        await Upload.Send(client, path, manifest, Ct);

        Assert.Equal(manifest.Sha256, Convert.ToHexStringLower(SHA256.HashData(store.Objects[$"nightly/{manifest.File}"])));
        Assert.Equal(2, store.Objects.Count);
        Assert.Equal(0, store.OpenUploads);
        Assert.False(visibleEarly);
        Assert.Equal(3, store.Requests.Count(request => request.StartsWith("PUT nightly/", StringComparison.Ordinal)
            && request.Contains('?', StringComparison.Ordinal)));

        // After a failed upload no parts are left.
        store.Objects.Clear();
        store.Forget();
        store.FaultFor = (number, method, _) => method == "PUT" && number > 2 ? S3Fault.InternalError : S3Fault.None;
        await Assert.ThrowsAsync<BackupException>(() => Upload.Send(client, path, manifest, Ct));
        Assert.Equal((0, 0), (store.Objects.Count, store.OpenUploads));
    }

    public static TheoryData<S3Fault> Failures =>
        [S3Fault.InternalError, S3Fault.SlowDown, S3Fault.Forbidden, S3Fault.Reset, S3Fault.ResetAtHalf, S3Fault.ClockSkew,
            S3Fault.Truncates, S3Fault.KeepsFraming];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_failed_request_never_leaves_a_manifest_without_a_complete_backup(S3Fault fault)
    {
        await using var store = await FakeS3.Start();
        var (path, manifest) = await Sample(5000);
        using var client = Store(store);
        await Upload.Send(client, path, manifest, Ct);
        var requests = store.Requests.Count;
        Assert.Equal(4, requests);
        var older = store.Objects.ToDictionary();
        var failed = 0;
        for (var bad = 1; bad <= requests; bad++)
        {
            foreach (var forever in new[] { false, true })
            {
                store.Objects.Clear();
                foreach (var (key, content) in older)
                {
                    store.Objects[key] = content;
                }

                store.Forget();
                var k = bad;
                store.FaultFor = (number, _, _) => number == k || (forever && number > k) ? fault : S3Fault.None;
                var next = manifest with { File = Manifest.NewName(manifest.StartedAt, "db") };
                try
                {
                    await Upload.Send(client, path, next, Ct);
                }
                catch (BackupException exception)
                {
                    Assert.True(exception.Exit is ExitCodes.Damaged or ExitCodes.Unreachable, exception.Message);
                    Assert.DoesNotContain("c4nary-S3-2219", exception.ToString());
                    failed++;
                    if (store.Objects.ContainsKey($"nightly/{next.File}.json"))
                    {
                        // The upload failed, but its manifest is stored. This happens only if the store also refuses
                        // deletes, and then the backup is complete.
                        Assert.True(forever, $"request {k}");
                        Assert.Equal(next.Sha256, Convert.ToHexStringLower(SHA256.HashData(store.Objects[$"nightly/{next.File}"])));
                    }

                    Assert.All(older, entry => Assert.Equal(entry.Value, store.Objects[entry.Key]));
                    continue;
                }

                Assert.Equal(next.Sha256, Convert.ToHexStringLower(SHA256.HashData(store.Objects[$"nightly/{next.File}"])));
                Assert.Equal(next.Write(), store.Objects[$"nightly/{next.File}.json"]);
            }
        }

        // Each request that always fails makes the upload fail.
        Assert.True(failed >= requests, $"{failed} failed");
    }

    [Theory]
    [InlineData(S3Fault.InternalError)]
    [InlineData(S3Fault.SlowDown)]
    [InlineData(S3Fault.Reset)]
    [InlineData(S3Fault.ResetAtHalf)]
    public async Task A_request_that_fails_once_is_retried(S3Fault fault)
    {
        await using var store = await FakeS3.Start();
        var (path, manifest) = await Sample(5000);
        using var client = Store(store, attempts: 2);
        // Every second request fails, so each request fails once.
        store.FaultFor = (number, _, _) => number % 2 == 1 ? fault : S3Fault.None;

        await Upload.Send(client, path, manifest, Ct);

        Assert.Equal(manifest.Sha256, Convert.ToHexStringLower(SHA256.HashData(store.Objects[$"nightly/{manifest.File}"])));
        Assert.Equal(2, store.Objects.Count);
    }

    [Fact]
    public async Task A_store_fault_is_reported_and_leaves_no_objects()
    {
        await using var store = await FakeS3.Start();
        async Task Fails(int exit, string code, string words, string url, params (string, string)[] changes)
        {
            var where = folder.New();
            var result = await MigratorConsole.Run(database.Address, store.Environment([("DATAXPIPE_S3_ATTEMPTS", "1"), .. changes]),
                "backup", "--output", where, "--upload", url, "--json");
            Assert.True(result.Exit == exit, result.ToString());
            Assert.Equal(code, result.Code());
            Assert.Contains(words, result.Errors);
            Assert.DoesNotContain("c4nary-S3", result.ToString());
            Assert.Empty(store.Objects);
            Assert.DoesNotContain(BackupSteps.Names(where), name => name.Contains(".part", StringComparison.Ordinal));
        }

        await Task.WhenAll(
            Fails(7, "store_credentials", "rejected the access key", Url, ("AWS_SECRET_ACCESS_KEY", "c4nary-S3-wrong")),
            Fails(7, "store_credentials", "rejected the access key", Url, ("AWS_ACCESS_KEY_ID", "AKIAOTHER")),
            Fails(7, "bucket_missing", "bucket elsewhere does not exist", "s3://elsewhere/nightly"),
            Fails(7, "store_unreachable", "is unreachable", Url, ("DATAXPIPE_S3_ENDPOINT", "http://127.0.0.1:1")),
            Fails(2, "setting", "must begin with https://", Url, ("DATAXPIPE_S3_ENDPOINT", "http://s3.example.com")),
            Fails(2, "setting", "Set AWS_ACCESS_KEY_ID", Url, ("AWS_ACCESS_KEY_ID", "")),
            Fails(2, "setting", "without keys", "s3://key:c4nary-S3@bucket/x"),
            Fails(2, "setting", "Set DATAXPIPE_S3_REGION", "spaces://bucket/x", ("DATAXPIPE_S3_ENDPOINT", ""), ("DATAXPIPE_S3_REGION", "")),
            Fails(2, "setting", "--upload takes", "/var/backups"));
        store.FaultFor = (_, _, _) => S3Fault.ClockSkew;
        await Fails(7, "clock_skewed", "clock differs", Url);
        store.FaultFor = (_, _, _) => S3Fault.Forbidden;
        await Fails(7, "store_refused", "permission to list the bucket", Url);
        store.FaultFor = (_, method, _) => method == "PUT" ? S3Fault.KeepsFraming : S3Fault.None;
        await Fails(4, "upload_garbled", "other content than was uploaded", Url);
        store.FaultFor = (_, _, _) => S3Fault.NoResponse;
        await Fails(7, "store_unreachable", "timed out", Url, ("DATAXPIPE_S3_TIMEOUT", "1"));
        Assert.Equal("https://nyc3.digitaloceanspaces.com/", Settings("spaces://b/p", ("DATAXPIPE_S3_REGION", "nyc3"))
            .Endpoint!.ToString());
        Assert.Null(Settings("s3://b/p", ("DATAXPIPE_S3_REGION", "eu-west-1")).Endpoint);
    }

    [Fact]
    public async Task The_fake_store_checks_every_form_of_signature_that_the_client_sends()
    {
        await using var store = await FakeS3.Start();
        var content = RandomNumberGenerator.GetBytes(300_000);
        async Task Put(string key, string secret, RequestChecksumCalculation checksum, bool chunked, ChecksumAlgorithm? algorithm = null)
        {
            using var client = new AmazonS3Client(new BasicAWSCredentials(FakeS3.AccessKey, secret), new AmazonS3Config
            {
                ServiceURL = store.Endpoint,
                ForcePathStyle = true,
                AuthenticationRegion = "test-1",
                RequestChecksumCalculation = checksum,
                MaxErrorRetry = 0,
            });
            using var body = new MemoryStream(content);
            await client.PutObjectAsync(
                new PutObjectRequest
                {
                    BucketName = FakeS3.Bucket,
                    Key = key,
                    InputStream = body,
                    UseChunkEncoding = chunked,
                    ChecksumAlgorithm = algorithm
                }, Ct);
        }

        await Put("trailer", FakeS3.Secret, RequestChecksumCalculation.WHEN_SUPPORTED, chunked: true);
        await Put("trailer256", FakeS3.Secret, RequestChecksumCalculation.WHEN_SUPPORTED, chunked: true, ChecksumAlgorithm.SHA256);
        await Put("chunks", FakeS3.Secret, RequestChecksumCalculation.WHEN_REQUIRED, chunked: true);
        await Put("a key/with ü+&=", FakeS3.Secret, RequestChecksumCalculation.WHEN_REQUIRED, chunked: false);
        Assert.Equal(4, store.Objects.Count);
        Assert.All(store.Objects.Values, stored => Assert.Equal(content, stored));
        var refused = await Assert.ThrowsAsync<AmazonS3Exception>(() =>
            Put("wrong", "another", RequestChecksumCalculation.WHEN_SUPPORTED, chunked: true));
        Assert.Equal("SignatureDoesNotMatch", refused.ErrorCode);
        // Fault KeepsFraming stores the chunk framing in the object.
        store.FaultFor = (_, _, _) => S3Fault.KeepsFraming;
        await Put("framed", FakeS3.Secret, RequestChecksumCalculation.WHEN_REQUIRED, chunked: true);
        Assert.True(store.Objects["framed"].Length > content.Length);
    }

    internal static ObjectStoreSettings Settings(string url, params (string Name, string Value)[] environment) =>
        ObjectStoreSettings.Read(url, new ConfigurationBuilder()
        .AddInMemoryCollection(
            [new("AWS_ACCESS_KEY_ID", FakeS3.AccessKey), new("AWS_SECRET_ACCESS_KEY", FakeS3.Secret), .. environment.Select(setting =>
                new KeyValuePair<string, string?>(setting.Name, setting.Value))]).Build());

    private static ObjectStore Store(FakeS3 store, int attempts = 1) =>
        new(Settings(Url, ("DATAXPIPE_S3_ENDPOINT", store.Endpoint), ("DATAXPIPE_S3_ATTEMPTS", $"{attempts}"),
            ("DATAXPIPE_S3_TIMEOUT", "60")));

    private async Task<(string Path, Manifest Manifest)> Sample(int bytes)
    {
        var backup = await BackupSteps.BackUp(database.Address, folder.New());
        var content = RandomNumberGenerator.GetBytes(bytes);
        var path = BackupSteps.Copy(backup, folder.New(), content, manifest =>
            manifest with { Bytes = bytes, Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)) });
        return (path, BackupSteps.Describe(path));
    }

    private static class ExitCodes
    {
        public const int Damaged = 4;
        public const int Unreachable = 7;
    }
}
