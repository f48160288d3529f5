using System.Net;
using System.Security.Cryptography;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.S3.Transfer;

namespace Catalog.Migrations.Backup;

/// <summary>Backups in a bucket of an S3-compatible object store.</summary>
internal sealed class ObjectStore : BackupPlace
{
    // S3 allows at most 10,000 parts of 5 MiB to 5 GiB each.
    private const long MinPartSize = 16 << 20;
    private const long MaxParts = 9_000;
    private readonly ObjectStoreSettings _settings;
    private readonly PlainClient _client;

    /// <param name="settings">The bucket, and how to access it.</param>
    public ObjectStore(ObjectStoreSettings settings)
    {
        _settings = settings;
        var config = new AmazonS3Config
        {
            Timeout = settings.Timeout,
            MaxErrorRetry = settings.Attempts - 1,
            RetryMode = RequestRetryMode.Standard,
            // Many stores do not support the trailing checksums that newer clients send. These checksums are not
            // needed: the signature covers the body's hash, and uploads are read back.
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

    public override string Display =>
        $"{_settings.Bucket}/{_settings.Prefix}".TrimEnd('/') + (_settings.Endpoint is { } endpoint ? $" at {endpoint.Authority}" : "");

    public override async Task<IReadOnlyList<StoredFile>> List(CancellationToken ct)
    {
        var files = new List<StoredFile>();
        string? next = null;
        do
        {
            var request = new ListObjectsV2Request
            {
                BucketName = _settings.Bucket,
                Prefix = _settings.Prefix,
                Delimiter = "/",
                ContinuationToken = next
            };
            var page = await Send(() => _client.ListObjectsV2Async(request, ct), ct);
            // S3Objects is null for an empty page.
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

    /// <summary>Downloads an object without storing it, to compare its content.</summary>
    /// <returns>The object's size in bytes, and its SHA-256 in lower-case hexadecimal.</returns>
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

    public override Task Delete(string name, CancellationToken ct) =>
        Send(() => _client.DeleteObjectAsync(_settings.Bucket, Key(name), ct), ct);

    /// <summary>Uploads a small object.</summary>
    public Task Put(string name, byte[] content, CancellationToken ct) => Send(async () =>
    {
        using var memory = new MemoryStream(content);
        return await _client.PutObjectAsync(
            new() { BucketName = _settings.Bucket, Key = Key(name), InputStream = memory, ServerSideEncryptionMethod = Encryption }, ct);
    }, ct);

    /// <summary>
    /// Uploads a file, in parts if it is large. The object becomes visible only when the last request succeeds. A
    /// failed upload removes its parts. A killed process leaves its parts behind: a lifecycle rule of the bucket should
    /// delete them.
    /// </summary>
    public Task Put(string name, string path, CancellationToken ct) => Send(async () =>
    {
        // Uploads one part at a time. Each request has a time limit, and parallel requests would share a slow
        // connection.
        using var transfer = new TransferUtility(
            _client, new TransferUtilityConfig { MinSizeBeforePartUpload = MinPartSize + 1, ConcurrentServiceRequests = 1 });
        await transfer.UploadAsync(new TransferUtilityUploadRequest
        {
            BucketName = _settings.Bucket,
            Key = Key(name),
            FilePath = path,
            PartSize = Math.Max(MinPartSize, new FileInfo(path).Length / MaxParts + 1),
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

    // The SDK retries failed requests, but not downloads that are interrupted in the body. It also has no time limit
    // for a body that stalls. So this method does both itself.
    private async Task<long> Download(string name, Action reset, Func<ReadOnlyMemory<byte>, ValueTask> write, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                reset();
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
                        return bytes == response.ContentLength ? bytes : throw new IOException("The download was interrupted.");
                    }

                    await write(buffer.AsMemory(0, read));
                    bytes += read;
                }
            }
            catch (Exception exception) when (!ct.IsCancellationRequested && exception is not BackupException)
            {
                if (attempt >= _settings.Attempts || exception is not (IOException or OperationCanceledException or TimeoutException))
                {
                    throw Translate(exception);
                }

                await Task.Delay(
                    TimeSpan.FromMilliseconds(Math.Min(20_000, 250 * Math.Pow(2, attempt)) * (0.5 + Random.Shared.NextDouble())), ct);
            }
        }
    }

    private async Task<T> Send<T>(Func<Task<T>> request, CancellationToken ct)
    {
        try
        {
            return await request();
        }
        catch (Exception exception) when (
            !ct.IsCancellationRequested && exception is AmazonServiceException or AmazonClientException or HttpRequestException
                or IOException or OperationCanceledException or TimeoutException or WebException)
        {
            throw Translate(exception);
        }
    }

    private BackupException Translate(Exception exception)
    {
        var service = exception as AmazonServiceException ?? exception.InnerException as AmazonServiceException;
        var tried = _settings.Attempts > 1 ? $", {_settings.Attempts} times" : "";
        var (code, message) = (service?.ErrorCode, service?.StatusCode) switch
        {
            ("RequestTimeTooSkewed", _) =>
                ("clock_skewed", "This machine's clock differs too much from the object store's: correct it, for example with NTP."),
            ("InvalidAccessKeyId" or "SignatureDoesNotMatch" or "InvalidToken" or "ExpiredToken", _) =>
                ("store_credentials",
                    "The object store rejected the access key or its secret: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                        + "DATAXPIPE_S3_ACCESS_KEY and DATAXPIPE_S3_SECRET_KEY, and the region."),
            ("NoSuchBucket", _) =>
                ("bucket_missing",
                    $"The bucket {_settings.Bucket} does not exist in the object store: create it, or correct the name, endpoint or "
                        + "region."),
            ("NoSuchKey", _) or (_, HttpStatusCode.NotFound) =>
                ("object_missing",
                    $"A file does not exist in {Display}, or was deleted. List the backups there with `catalog-migrations backups list`."),
            ("AccessDenied", _) or (_, HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized) =>
                ("store_refused",
                    $"The object store denied access to {Display}: the key needs permission to list the bucket and to get, put and "
                        + "delete objects."),
            (_, >= HttpStatusCode.InternalServerError or HttpStatusCode.TooManyRequests) =>
                ("store_unavailable",
                    $"The object store failed or was overloaded{tried} ({(int)service!.StatusCode} {service.ErrorCode}). Try again later."),
            (_, not null) =>
                ("store_refused",
                    $"The object store rejected the request ({(int)service!.StatusCode} {service.ErrorCode}). Check the endpoint, the "
                        + "region and DATAXPIPE_S3_ENCRYPTION."),
            _ => ("store_unreachable",
                $"The object store at {_settings.Endpoint?.Authority ?? $"region {_settings.Region}"} is unreachable, or the "
                    + $"connection failed or timed out{tried}: check DATAXPIPE_S3_ENDPOINT and the network."),
        };
        return new(ExitCode.Unreachable, code, message, exception);
    }

    /// <summary>
    /// Disables chunked encoding of bodies, because some stores save the framing of the chunks as part of the object.
    /// TransferUtility has no option for this.
    /// </summary>
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

        // TransferUtility waits for this request without a time limit, even after cancellation.
        public override async Task<AbortMultipartUploadResponse> AbortMultipartUploadAsync(
            AbortMultipartUploadRequest request, CancellationToken cancellationToken = default)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(5));
            return await base.AbortMultipartUploadAsync(request, limit.Token);
        }
    }
}
