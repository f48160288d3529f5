using System.Net;
using System.Security.Cryptography;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Catalog.Migrations.Backup;

/// <summary>Backups in a bucket of an object store that speaks S3.</summary>
internal sealed class ObjectStore : BackupPlace
{
    /// <summary>Where objects lie until they are known to be whole; below the prefix.</summary>
    public const string Uploading = ".uploading/";

    // S3 takes 10,000 parts of 5 MiB to 5 GiB.
    private const long LeastPart = 16 << 20;
    private const long MostParts = 9_000;
    private const long CopyPart = 1L << 30;
    private readonly ObjectStoreSettings _settings;
    private readonly AmazonS3Client _client;
    private readonly long _copyAtOnce;

    /// <param name="settings">Which bucket.</param>
    /// <param name="copyAtOnce">Bytes that one request may copy; S3's own limit is 5 GiB.</param>
    public ObjectStore(ObjectStoreSettings settings, long copyAtOnce = 5L << 30)
    {
        _settings = settings;
        _copyAtOnce = copyAtOnce;
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

        _client = new AmazonS3Client(settings.SessionToken is { } token
            ? new SessionAWSCredentials(settings.AccessKey, settings.SecretKey, token)
            : new BasicAWSCredentials(settings.AccessKey, settings.SecretKey), config);
        // The client escapes the slashes of a copy's source too; some stores look for the bucket's name before they unescape.
        _client.BeforeRequestEvent += (_, arguments) =>
        {
            if (arguments is WebServiceRequestEventArgs request && request.Headers.TryGetValue("x-amz-copy-source", out var source))
            {
                request.Headers["x-amz-copy-source"] = source.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
            }
        };
    }

    public override string Display => $"{_settings.Bucket}/{_settings.Prefix}".TrimEnd('/') + (_settings.Endpoint is { } endpoint ? $" at {endpoint.Authority}" : "");

    public override async Task<IReadOnlyList<StoredFile>> List(CancellationToken ct) => [.. (await Objects("", ct)).Select(found => new StoredFile(found.Name, found.Bytes))];

    /// <summary>Removes what killed uploads have left for more than a day.</summary>
    public async Task Sweep(DateTimeOffset now, CancellationToken ct)
    {
        foreach (var (name, _, _) in (await Objects(Uploading, ct)).Where(found => found.At < now.UtcDateTime.AddDays(-1)))
        {
            await Delete(Uploading + name, ct);
        }
    }

    public override async Task<byte[]> Read(string name, CancellationToken ct)
    {
        using var memory = new MemoryStream();
        await Download(name, memory, ct);
        return memory.ToArray();
    }

    public override async Task<string> Fetch(string name, string folder, CancellationToken ct)
    {
        var path = Path.Combine(folder, name);
        await using var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite);
        await Download(name, file, ct);
        return path;
    }

    /// <summary>What the store gives back.</summary>
    /// <returns>Its size, and its SHA-256 in lower-case hexadecimal.</returns>
    public async Task<(long Bytes, string Sha256)> ReadBack(string name, CancellationToken ct)
    {
        await using var hash = new HashStream();
        var bytes = await Download(name, hash, ct);
        return (bytes, hash.Sum());
    }

    public override Task Delete(string name, CancellationToken ct) => Ask(() => _client.DeleteObjectAsync(_settings.Bucket, Key(name), ct), ct);

    public async Task<long> Size(string name, CancellationToken ct) => (await Ask(() => _client.GetObjectMetadataAsync(_settings.Bucket, Key(name), ct), ct)).ContentLength;

    /// <summary>Writes a small object.</summary>
    public Task Put(string name, byte[] content, CancellationToken ct) => Ask(async () =>
    {
        using var memory = new MemoryStream(content);
        return await _client.PutObjectAsync(PutRequest(name, request => request.InputStream = memory), ct);
    }, ct);

    /// <summary>Writes a file, in parts when it is large; each is read from the file as it is sent.</summary>
    public async Task Put(string name, string path, CancellationToken ct)
    {
        var length = new FileInfo(path).Length;
        if (length <= LeastPart)
        {
            await Ask(() => _client.PutObjectAsync(PutRequest(name, request => request.FilePath = path), ct), ct);
            return;
        }

        var size = Math.Max(LeastPart, ((length / MostParts) + (1 << 20)) & ~0xF_FFFFL);
        await InParts(name, (upload, number, from) => Ask(() => _client.UploadPartAsync(new UploadPartRequest
        {
            BucketName = _settings.Bucket,
            Key = Key(name),
            UploadId = upload,
            PartNumber = number,
            FilePath = path,
            FilePosition = from,
            PartSize = Math.Min(size, length - from),
            UseChunkEncoding = false,
        }, ct), ct), part => part.ETag, length, size, ct);
    }

    /// <summary>Copies within the bucket.</summary>
    public async Task Copy(string from, string to, long length, CancellationToken ct)
    {
        if (length <= _copyAtOnce)
        {
            await Ask(() => _client.CopyObjectAsync(new CopyObjectRequest
            {
                SourceBucket = _settings.Bucket,
                SourceKey = Key(from),
                DestinationBucket = _settings.Bucket,
                DestinationKey = Key(to),
                ServerSideEncryptionMethod = Encryption,
            }, ct), ct);
            return;
        }

        var size = Math.Min(CopyPart, _copyAtOnce);
        await InParts(to, (upload, number, start) => Ask(() => _client.CopyPartAsync(new CopyPartRequest
        {
            SourceBucket = _settings.Bucket,
            SourceKey = Key(from),
            DestinationBucket = _settings.Bucket,
            DestinationKey = Key(to),
            UploadId = upload,
            PartNumber = number,
            FirstByte = start,
            LastByte = Math.Min(start + size, length) - 1,
        }, ct), ct), part => part.ETag, length, size, ct);
    }

    public override void Dispose()
    {
        _client.Dispose();
        base.Dispose();
    }

    private async Task InParts<T>(string name, Func<string, int, long, Task<T>> send, Func<T, string> tag, long length, long size, CancellationToken ct)
    {
        var upload = (await Ask(() => _client.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest
        {
            BucketName = _settings.Bucket,
            Key = Key(name),
            ServerSideEncryptionMethod = Encryption,
        }, ct), ct)).UploadId;
        try
        {
            var parts = new List<PartETag>();
            for (var from = 0L; from < length; from += size)
            {
                var number = parts.Count + 1;
                parts.Add(new PartETag(number, tag(await send(upload, number, from))));
            }

            await Ask(() => _client.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest { BucketName = _settings.Bucket, Key = Key(name), UploadId = upload, PartETags = parts }, ct), ct);
        }
        catch
        {
            // Parts that belong to nothing are paid for until they are given up; a rule of the bucket catches those of killed runs.
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            try
            {
                await _client.AbortMultipartUploadAsync(_settings.Bucket, Key(name), upload, limit.Token);
            }
            catch (Exception exception) when (exception is AmazonServiceException or HttpRequestException or OperationCanceledException or AmazonClientException)
            {
                // The first failure is the one to tell of.
            }

            throw;
        }
    }

    private ServerSideEncryptionMethod? Encryption => _settings.Encryption is { } word ? new ServerSideEncryptionMethod(word) : null;

    private string Key(string name) => _settings.Prefix + name;

    private PutObjectRequest PutRequest(string name, Action<PutObjectRequest> content)
    {
        var request = new PutObjectRequest { BucketName = _settings.Bucket, Key = Key(name), UseChunkEncoding = false, ServerSideEncryptionMethod = Encryption };
        content(request);
        return request;
    }

    private async Task<List<(string Name, long Bytes, DateTime? At)>> Objects(string below, CancellationToken ct)
    {
        var objects = new List<(string, long, DateTime?)>();
        string? next = null;
        do
        {
            var page = await Ask(() => _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _settings.Bucket, Prefix = Key(below), Delimiter = "/", ContinuationToken = next }, ct), ct);
            // Null where there are none.
            objects.AddRange((page.S3Objects ?? []).Select(found => (found.Key[Key(below).Length..], found.Size ?? 0, found.LastModified?.ToUniversalTime())));
            next = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (next is not null);
        return objects;
    }

    // The client tries a request again, but not a body that breaks off.
    private async Task<long> Download(string name, Stream to, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                to.SetLength(0);
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

                    await to.WriteAsync(buffer.AsMemory(0, read), ct);
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

    /// <summary>Keeps nothing of what is written but its hash.</summary>
    private sealed class HashStream : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public string Sum() => Convert.ToHexStringLower(_hash.GetHashAndReset());

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => _hash.GetHashAndReset();

        public override void Write(byte[] buffer, int offset, int count) => _hash.AppendData(buffer, offset, count);

        public override void Write(ReadOnlySpan<byte> buffer) => _hash.AppendData(buffer);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _hash.AppendData(buffer.Span);
            return ValueTask.CompletedTask;
        }

        protected override void Dispose(bool disposing)
        {
            _hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
