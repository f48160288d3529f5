using System.Net;
using System.Security.Cryptography;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.S3.Transfer;

namespace Catalog.Migrations.Backup;

/// <summary>Backups in a bucket of an object store that speaks S3.</summary>
internal sealed class ObjectStore : BackupPlace
{
    // S3 takes 10,000 parts of 5 MiB to 5 GiB.
    private const long LeastPart = 16 << 20;
    private const long MostParts = 9_000;
    private readonly ObjectStoreSettings _settings;
    private readonly PlainClient _client;

    /// <param name="settings">Which bucket.</param>
    public ObjectStore(ObjectStoreSettings settings)
    {
        _settings = settings;
        var config = new AmazonS3Config
        {
            Timeout = settings.Timeout,
            MaxErrorRetry = settings.Attempts - 1,
            RetryMode = RequestRetryMode.Standard,
            // Many stores do not know the trailing checksums of newer clients. The body's hash is in the signature, and it is read back.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (settings.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.ToString();
            config.AuthenticationRegion = settings.Region;
            config.ForcePathStyle = true;
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(settings.Region);
        }

        _client = new PlainClient(settings.SessionToken is { } token
            ? new SessionAWSCredentials(settings.AccessKey, settings.SecretKey, token)
            : new BasicAWSCredentials(settings.AccessKey, settings.SecretKey), config);
    }

    public override string Display => $"{_settings.Bucket}/{_settings.Prefix}".TrimEnd('/') + (_settings.Endpoint is { } endpoint ? $" at {endpoint.Authority}" : "");

    public override async Task<IReadOnlyList<StoredFile>> List(CancellationToken ct)
    {
        var files = new List<StoredFile>();
        string? next = null;
        do
        {
            var wanted = new ListObjectsV2Request { BucketName = _settings.Bucket, Prefix = _settings.Prefix, Delimiter = "/", ContinuationToken = next };
            var page = await Ask(() => _client.ListObjectsV2Async(wanted, ct), ct);
            // Null where there are none.
            files.AddRange((page.S3Objects ?? []).Select(found => new StoredFile(found.Key[_settings.Prefix.Length..], found.Size ?? 0)));
            next = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (next is not null);
        return files;
    }

    public override async Task<byte[]> Read(string name, CancellationToken ct)
    {
        using var memory = new MemoryStream();
        await Download(name, () => memory.SetLength(0), part => memory.WriteAsync(part, ct), ct);
        return memory.ToArray();
    }

    public override async Task<string> Fetch(string name, string folder, CancellationToken ct)
    {
        var path = Path.Combine(folder, name);
        await using var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite);
        await Download(name, () => file.SetLength(0), part => file.WriteAsync(part, ct), ct);
        return path;
    }

    /// <summary>What the store gives back.</summary>
    /// <returns>Its size, and its SHA-256 in lower-case hexadecimal.</returns>
    public async Task<(long Bytes, string Sha256)> ReadBack(string name, CancellationToken ct)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var bytes = await Download(name, () => hash.GetHashAndReset(), part =>
        {
            hash.AppendData(part.Span);
            return ValueTask.CompletedTask;
        }, ct);
        return (bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    public override Task Delete(string name, CancellationToken ct) => Ask(() => _client.DeleteObjectAsync(_settings.Bucket, Key(name), ct), ct);

    /// <summary>Writes a small object.</summary>
    public Task Put(string name, byte[] content, CancellationToken ct) => Ask(async () =>
    {
        using var memory = new MemoryStream(content);
        return await _client.PutObjectAsync(new() { BucketName = _settings.Bucket, Key = Key(name), InputStream = memory, ServerSideEncryptionMethod = Encryption }, ct);
    }, ct);

    /// <summary>
    /// Writes a file, in parts when it is large; each is read from the file as it is sent. The object appears when its last request succeeds, and
    /// parts that came to nothing are given up; a rule of the bucket catches those of killed runs.
    /// </summary>
    public Task Put(string name, string path, CancellationToken ct) => Ask(async () =>
    {
        // A part after the other: the timeout is for a request, and several would share a slow line.
        using var transfer = new TransferUtility(_client, new TransferUtilityConfig { MinSizeBeforePartUpload = LeastPart + 1, ConcurrentServiceRequests = 1 });
        await transfer.UploadAsync(new TransferUtilityUploadRequest
        {
            BucketName = _settings.Bucket,
            Key = Key(name),
            FilePath = path,
            PartSize = Math.Max(LeastPart, new FileInfo(path).Length / MostParts + 1),
            ServerSideEncryptionMethod = Encryption,
        }, ct);
        return true;
    }, ct);

    public override void Dispose()
    {
        _client.Dispose();
        base.Dispose();
    }

    private ServerSideEncryptionMethod? Encryption => _settings.Encryption is { } word ? new ServerSideEncryptionMethod(word) : null;

    private string Key(string name) => _settings.Prefix + name;

    // The client tries a request again, but not a body that breaks off; and its own downloads wait for ever on one that stands still.
    private async Task<long> Download(string name, Action begin, Func<ReadOnlyMemory<byte>, ValueTask> write, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                begin();
                using var response = await _client.GetObjectAsync(_settings.Bucket, Key(name), ct);
                await using var body = response.ResponseStream;
                var buffer = new byte[1 << 17];
                var bytes = 0L;
                while (true)
                {
                    using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
                    limit.CancelAfter(_settings.Timeout);
                    var read = await body.ReadAsync(buffer, limit.Token);
                    if (read == 0)
                    {
                        return bytes == response.ContentLength ? bytes : throw new IOException("The object broke off.");
                    }

                    await write(buffer.AsMemory(0, read));
                    bytes += read;
                }
            }
            catch (Exception exception) when (!ct.IsCancellationRequested && exception is not BackupException)
            {
                if (attempt >= _settings.Attempts || exception is not (IOException or OperationCanceledException or TimeoutException))
                {
                    throw Words(exception);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(20_000, 250 * Math.Pow(2, attempt)) * (0.5 + Random.Shared.NextDouble())), ct);
            }
        }
    }

    private async Task<T> Ask<T>(Func<Task<T>> request, CancellationToken ct)
    {
        try
        {
            return await request();
        }
        catch (Exception exception) when (!ct.IsCancellationRequested && exception is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or OperationCanceledException or TimeoutException or WebException)
        {
            throw Words(exception);
        }
    }

    private BackupException Words(Exception exception)
    {
        var service = exception as AmazonServiceException ?? exception.InnerException as AmazonServiceException;
        var tried = _settings.Attempts > 1 ? $", {_settings.Attempts} times" : "";
        var (code, message) = (service?.ErrorCode, service?.StatusCode) switch
        {
            ("RequestTimeTooSkewed", _) => ("clock_skewed", "This machine's clock differs too much from the object store's: set it right, for example with NTP."),
            ("InvalidAccessKeyId" or "SignatureDoesNotMatch" or "InvalidToken" or "ExpiredToken", _) =>
                ("store_credentials", "The object store refused the access key or its secret: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or DATAXPIPE_S3_ACCESS_KEY and DATAXPIPE_S3_SECRET_KEY, and the region."),
            ("NoSuchBucket", _) => ("bucket_missing", $"The object store has no bucket {_settings.Bucket}: create it, or correct the name, endpoint or region."),
            ("NoSuchKey", _) or (_, HttpStatusCode.NotFound) => ("object_missing", $"The object is not, or no longer, in {Display}."),
            ("AccessDenied", _) or (_, HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized) =>
                ("store_refused", $"The object store refused access to {Display}: the key needs to list the bucket and to get, put and delete objects."),
            (_, >= HttpStatusCode.InternalServerError or HttpStatusCode.TooManyRequests) => ("store_unavailable", $"The object store failed or was overloaded{tried} ({(int)service!.StatusCode} {service.ErrorCode}). Try again later."),
            (_, not null) => ("store_refused", $"The object store refused the request: {(int)service!.StatusCode} {service.ErrorCode}."),
            _ => ("store_unreachable", $"The object store at {_settings.Endpoint?.Authority ?? $"region {_settings.Region}"} cannot be reached, or broke off or fell silent{tried}: check DATAXPIPE_S3_ENDPOINT and the network."),
        };
        return new(ExitCode.Unreachable, code, message, exception);
    }

    /// <summary>Sends bodies as they are: some stores keep the framing of chunks inside the object, and the transfers leave no choice.</summary>
    private sealed class PlainClient(AWSCredentials credentials, AmazonS3Config config) : AmazonS3Client(credentials, config)
    {
        public override Task<PutObjectResponse> PutObjectAsync(PutObjectRequest request, CancellationToken cancellationToken = default)
        {
            request.UseChunkEncoding = false;
            return base.PutObjectAsync(request, cancellationToken);
        }

        public override Task<UploadPartResponse> UploadPartAsync(UploadPartRequest request, CancellationToken cancellationToken = default)
        {
            request.UseChunkEncoding = false;
            return base.UploadPartAsync(request, cancellationToken);
        }

        // The transfers wait for this without a limit, also when they were told to stop.
        public override async Task<AbortMultipartUploadResponse> AbortMultipartUploadAsync(AbortMultipartUploadRequest request, CancellationToken cancellationToken = default)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(5));
            return await base.AbortMultipartUploadAsync(request, limit.Token);
        }
    }
}
