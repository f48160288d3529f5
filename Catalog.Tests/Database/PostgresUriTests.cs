using Catalog.Data.Database;
using Catalog.Data.Settings;
using Npgsql;

namespace Catalog.Tests.Database;

[Trait("Category", "Fast")]
public sealed class PostgresUriTests
{
    // The password of the refused addresses, whole or split by a character that a password must not contain unescaped.
    private const string Canary = "zqxj7wvk9";

    private static readonly string Local = Directory.Exists("/var/run/postgresql") ? "/var/run/postgresql" : "localhost";

    [Theory]
    // Given and missing parts. A null host means the default host, a null port 5432.
    [InlineData("postgresql://ada:pw@db.example:6432/app", "db.example", 6432, "app", "ada", "pw")]
    [InlineData("postgresql://ada@db.example:6432/app", "db.example", 6432, "app", "ada", null)]
    [InlineData("postgresql://ada@db.example/app", "db.example", null, "app", "ada", null)]
    [InlineData("postgresql://db.example:6432/app", "db.example", 6432, "app", null, null)]
    [InlineData("postgresql://db.example/app", "db.example", null, "app", null, null)]
    [InlineData("postgresql://ada@db.example:6432/", "db.example", 6432, null, "ada", null)]
    [InlineData("postgresql://ada@db.example/", "db.example", null, null, "ada", null)]
    [InlineData("postgresql://db.example:6432/", "db.example", 6432, null, null, null)]
    [InlineData("postgresql://db.example:6432", "db.example", 6432, null, null, null)]
    [InlineData("postgresql://db.example/", "db.example", null, null, null, null)]
    [InlineData("postgresql://db.example", "db.example", null, null, null, null)]
    [InlineData("postgresql://db.example?", "db.example", null, null, null, null)]
    [InlineData("postgresql://ada@", null, null, null, "ada", null)]
    [InlineData("postgresql://ada:pw@", null, null, null, "ada", "pw")]
    [InlineData("postgresql://:pw@db.example/app", "db.example", null, "app", null, "pw")]
    [InlineData("postgresql://:@db.example/app", "db.example", null, "app", null, null)]
    [InlineData("postgresql://@db.example", "db.example", null, null, null, null)]
    [InlineData("postgresql://", null, null, null, null, null)]
    [InlineData("postgres://", null, null, null, null, null)]
    [InlineData("postgres:///", null, null, null, null, null)]
    [InlineData("postgres:///app", null, null, "app", null, null)]
    [InlineData("postgres://ada@/app", null, null, "app", "ada", null)]
    [InlineData("postgres://db.example:/", "db.example", null, null, null, null)]
    [InlineData("postgres://:6432/", null, 6432, null, null, null)]
    [InlineData("postgresql://db.example//app", "db.example", null, "/app", null, null)]
    [InlineData("POSTGRESQL://db.example/app", "db.example", null, "app", null, null)]
    // SQLAlchemy's spellings.
    [InlineData("postgresql+asyncpg://ada:pw@db.example:6432/app", "db.example", 6432, "app", "ada", "pw")]
    [InlineData("postgresql+psycopg2://ada:pw@db.example/app", "db.example", null, "app", "ada", "pw")]
    [InlineData("postgresql+psycopg://ada:pw@/app?host=/run/pg", "/run/pg", null, "app", "ada", "pw")]
    [InlineData("postgresql+pg8000://ada:pw@db.example/app", "db.example", null, "app", "ada", "pw")]
    // Percent-encoding. A + is a plus sign, and only : @ / ? , [ and % are special before the parameters.
    [InlineData("postgresql://%64b%2Eexample/", "db.example", null, null, null, null)]
    [InlineData("postgresql://a%40da:p%40%3A%2f%3F%25w@db.example:%36432/a%2Fp%20p", "db.example", 6432, "a/p p", "a@da", "p@:/?%w")]
    [InlineData("postgresql://a+da:p+w@db.example/a+pp", "db.example", null, "a+pp", "a+da", "p+w")]
    [InlineData("postgresql://ada:a;b'c\"d=e%20f@db.example/app", "db.example", null, "app", "ada", "a;b'c\"d=e f")]
    [InlineData("postgresql://ada:p?w#x:y&z@db.example/app#1", "db.example", null, "app#1", "ada", "p?w#x:y&z")]
    [InlineData("postgresql://ada:p w@db.example/app", "db.example", null, "app", "ada", "p w")]
    [InlineData("postgresql://%C3%A4da:gr%c3%bc%F0%9F%90%98ß🐘%20@db.example/%E2%82%AC", "db.example", null, "€", "äda", "grü🐘ß🐘 ")]
    // Parameters. The last value counts, an empty value means not given, and a final & is allowed.
    [InlineData("postgresql://db.example/app?user=ada", "db.example", null, "app", "ada", null)]
    [InlineData("postgresql://db.example/app?user=ada&port=6432", "db.example", 6432, "app", "ada", null)]
    [InlineData("postgresql://db.example/app?%75ser=ada&port=6432", "db.example", 6432, "app", "ada", null)]
    [InlineData("postgresql://db.example:6432?user=ada", "db.example", 6432, null, "ada", null)]
    [InlineData("postgresql://db.example?user=ada", "db.example", null, null, "ada", null)]
    [InlineData("postgresql://?host=db.example&dbname=app&user=ada&password=p%26%3Dw&port=1", "db.example", 1, "app", "ada", "p&=w")]
    [InlineData("postgresql://bob:no@no:1/no?host=db.example&dbname=app&user=ada&password=pw&port=2", "db.example", 2, "app", "ada", "pw")]
    [InlineData("postgresql://bob:no@no:1/no?host=&dbname=&user=&password=&port=", null, null, null, null, null)]
    [InlineData("postgresql://db.example?user=bob&user=ada&", "db.example", null, null, "ada", null)]
    [InlineData("postgresql://db.example?user=a/d?a:@", "db.example", null, null, "a/d?a:@", null)]
    // IPv6.
    [InlineData("postgresql://[::1]:6432/app", "::1", 6432, "app", null, null)]
    [InlineData("postgresql://ada:pw@[2001:db8::17]/app", "2001:db8::17", null, "app", "ada", "pw")]
    [InlineData("postgresql://[200z:db8::17]/", "200z:db8::17", null, null, null, null)]
    [InlineData("postgresql://[fe80::1%25eth0]", "fe80::1%eth0", null, null, null, null)]
    [InlineData("postgresql://[::1]?user=ada", "::1", null, null, "ada", null)]
    [InlineData("postgresql://?host=::1&port=6432", "::1", 6432, null, null, null)]
    // Sockets.
    [InlineData("postgres://?host=/run/pg", "/run/pg", null, null, null, null)]
    [InlineData("postgres://ada@?host=/run/pg", "/run/pg", null, null, "ada", null)]
    [InlineData("postgres://ada@/?host=/run/pg", "/run/pg", null, null, "ada", null)]
    [InlineData("postgres://ada@:6432?host=/run/pg", "/run/pg", 6432, null, "ada", null)]
    [InlineData("postgres://ada@:6432/app?host=/run/pg", "/run/pg", 6432, "app", "ada", null)]
    [InlineData("postgres://:6432/app?host=/run/pg", "/run/pg", 6432, "app", null, null)]
    [InlineData("postgres://:6432?host=/run/pg", "/run/pg", 6432, null, null, null)]
    [InlineData("postgres://%2Frun%2Fpg/app", "/run/pg", null, "app", null, null)]
    [InlineData("postgres://?host=/run/[pg]", "/run/[pg]", null, null, null, null)]
    [InlineData("postgres://?host=/run/pg:1", "/run/pg:1", null, null, null, null)]
    [InlineData("postgres://ada@%40catalog/app", "@catalog", null, "app", "ada", null)]
    [InlineData("postgres://ada@@catalog/app", "@catalog", null, "app", "ada", null)]
    [InlineData("postgres:///app?host=@catalog", "@catalog", null, "app", null, null)]
    public void Reads_host_port_database_user_and_password(string uri, string? host, int? port, string? database, string? user,
        string? password)
    {
        var read = PostgresUri.Parse("DATABASE_URL", uri);

        Assert.Equal((host ?? Local, port ?? 5432), (read.Host, read.Port));
        Assert.Equal((database, user, password), (read.Database, read.Username, read.Password));
        Assert.Equal((SslMode.Prefer, null, null), (read.SslMode, read.ApplicationName, read.Options));
        using var source = NpgsqlDataSource.Create(read);
        var driver = new NpgsqlConnectionStringBuilder(source.ConnectionString);
        Assert.Equal((read.Host, read.Port, read.Database, read.Username), (driver.Host, driver.Port, driver.Database, driver.Username));
        Assert.Equal(password, new NpgsqlConnectionStringBuilder(read.ConnectionString).Password);
    }

    [Theory]
    [InlineData("postgresql://a,b/app", "a:5432,b:5432")]
    [InlineData("postgresql://a:1,b:2/app", "a:1,b:2")]
    [InlineData("postgresql://ada:pw@a:1,b,c:3?user=bob", "a:1,b:5432,c:3")]
    [InlineData("postgresql://?host=a,b&port=6432", "a:6432,b:6432")]
    [InlineData("postgresql://?host=a,b&port=1,2", "a:1,b:2")]
    [InlineData("postgresql://a,b?port=6432", "a:6432,b:6432")]
    [InlineData("postgresql://a%2Cb:1%2C2/app", "a:1,b:2")]
    [InlineData("postgresql://[::1]:1,[2001:db8::17],c:3/app", "[::1]:1,[2001:db8::17]:5432,c:3")]
    [InlineData("postgresql://?host=::1,b&port=1,2", "[::1]:1,b:2")]
    [InlineData("postgresql://%2Frun%2Fpg:1,%40catalog,b:3?user=ada", "/run/pg:1,@catalog:5432,b:3")]
    [InlineData("postgresql://?host=/run/[pg],b", "/run/[pg]:5432,b:5432")]
    [InlineData("postgresql://a,/app", "a:5432,{default}:5432")]
    [InlineData("postgresql://:1,:2/app", "{default}:1,{default}:2")]
    public void Reads_several_hosts(string uri, string hosts)
    {
        var read = PostgresUri.Parse("DATABASE_URL", uri);

        Assert.Equal(hosts.Replace("{default}", Local, StringComparison.Ordinal), read.Host);
        using var source = NpgsqlDataSource.Create(read);
        Assert.IsType<NpgsqlMultiHostDataSource>(source);
    }

    [Theory]
    [InlineData("sslmode=disable", nameof(SslMode), SslMode.Disable)]
    [InlineData("sslmode=allow", nameof(SslMode), SslMode.Allow)]
    [InlineData("sslmode=prefer", nameof(SslMode), SslMode.Prefer)]
    [InlineData("sslmode=require", nameof(SslMode), SslMode.Require)]
    [InlineData("sslmode=verify-ca", nameof(SslMode), SslMode.VerifyCA)]
    [InlineData("sslmode=verify-full", nameof(SslMode), SslMode.VerifyFull)]
    [InlineData("ssl=true", nameof(SslMode), SslMode.Require)]
    [InlineData("ssl=false", nameof(SslMode), SslMode.Disable)]
    [InlineData("ssl=0", nameof(SslMode), SslMode.Disable)]
    [InlineData("ssl=no-verify", nameof(SslMode), SslMode.Require)]
    [InlineData("sslmode=no-verify", nameof(SslMode), SslMode.Require)]
    [InlineData("sslmode=no-verify&sslrootcert=/etc/root.crt", "RootCertificate", null)]
    [InlineData("sslmode=Require", nameof(SslMode), SslMode.Require)]
    [InlineData("sslmode=VERIFY-FULL", nameof(SslMode), SslMode.VerifyFull)]
    [InlineData("sslmode=require&sslrootcert=system", nameof(SslMode), SslMode.VerifyFull)]
    [InlineData("sslrootcert=system", nameof(SslMode), SslMode.VerifyFull)]
    [InlineData("sslrootcert=system", "RootCertificate", null)]
    [InlineData("sslmode=require&sslaccept=strict", nameof(SslMode), SslMode.VerifyFull)]
    [InlineData("sslmode=require&sslaccept=accept_invalid_certs", nameof(SslMode), SslMode.Require)]
    [InlineData("schema=catalog", "SearchPath", "catalog")]
    [InlineData("currentSchema=catalog", "SearchPath", "catalog")]
    [InlineData("connection_limit=3", "MaxPoolSize", 3)]
    [InlineData("ApplicationName=night", "ApplicationName", "night")]
    [InlineData("target_session_attrs=read-write", "TargetSessionAttributes", null)]
    [InlineData("target_session_attrs=primary", "TargetSessionAttributes", null)]
    [InlineData("ssl=verify-full", nameof(SslMode), SslMode.VerifyFull)]
    [InlineData("ssl=true&sslmode=disable", nameof(SslMode), SslMode.Disable)]
    [InlineData("sslmode=disable&ssl=true", nameof(SslMode), SslMode.Require)]
    [InlineData("requiressl=1", nameof(SslMode), SslMode.Require)]
    [InlineData("requiressl=0", nameof(SslMode), SslMode.Prefer)]
    [InlineData("sslmode=require&sslrootcert=/etc/root.crt", nameof(SslMode), SslMode.VerifyCA)]
    [InlineData("sslrootcert=/etc/root.crt&sslmode=require", nameof(SslMode), SslMode.VerifyCA)]
    [InlineData("sslmode=verify-full&sslrootcert=/etc/root.crt", nameof(SslMode), SslMode.VerifyFull)]
    [InlineData("sslmode=require&sslrootcert=", nameof(SslMode), SslMode.Require)]
    [InlineData("sslrootcert=/etc/root%20one.crt", "RootCertificate", "/etc/root one.crt")]
    [InlineData("sslcert=/etc/me.crt", "SslCertificate", "/etc/me.crt")]
    [InlineData("sslkey=/etc/me.key", "SslKey", "/etc/me.key")]
    [InlineData("sslpassword=a%3Bb", "SslPassword", "a;b")]
    [InlineData("sslmode=require&sslnegotiation=direct", nameof(SslNegotiation), SslNegotiation.Direct)]
    [InlineData("sslnegotiation=postgres", nameof(SslNegotiation), SslNegotiation.Postgres)]
    [InlineData("gssencmode=prefer", nameof(GssEncryptionMode), GssEncryptionMode.Prefer)]
    [InlineData("channel_binding=require", nameof(ChannelBinding), ChannelBinding.Require)]
    [InlineData("krbsrvname=pg", "KerberosServiceName", "pg")]
    [InlineData("krbsrvname=", "KerberosServiceName", "postgres")]
    [InlineData("require_auth=scram-sha-256", "RequireAuth", "ScramSHA256")]
    [InlineData("require_auth=password,md5,gss,sspi,none", "RequireAuth", "Password,MD5,GSS,SSPI,None")]
    [InlineData("require_auth=!password,!md5", "RequireAuth", "!Password,!MD5")]
    [InlineData("passfile=/etc/pgpass", "Passfile", "/etc/pgpass")]
    [InlineData("application_name=night+shift%20%261", "ApplicationName", "night+shift &1")]
    [InlineData("fallback_application_name=day", "ApplicationName", "day")]
    [InlineData("fallback_application_name=day&application_name=night", "ApplicationName", "night")]
    [InlineData("application_name=night&fallback_application_name=day", "ApplicationName", "night")]
    [InlineData("fallback_application_name=day&application_name=", "ApplicationName", "day")]
    [InlineData("options=-c%20work_mem%3D8MB", "Options", "-c work_mem=8MB")]
    [InlineData("options=", "Options", null)]
    [InlineData("connect_timeout=15", "Timeout", 15)]
    [InlineData("connect_timeout=0", "Timeout", 0)]
    [InlineData("keepalives=1", "TcpKeepAlive", true)]
    [InlineData("keepalives=0&keepalives_idle=30", "TcpKeepAliveTime", 0)]
    [InlineData("keepalives_idle=30", "TcpKeepAliveTime", 30)]
    [InlineData("keepalives_interval=5&keepalives_idle=30", "TcpKeepAliveInterval", 5)]
    [InlineData("client_encoding=utf8", "ClientEncoding", null)]
    [InlineData("client_encoding=auto", "ClientEncoding", null)]
    [InlineData("load_balance_hosts=random", "LoadBalanceHosts", true)]
    [InlineData("load_balance_hosts=disable", "LoadBalanceHosts", false)]
    [InlineData("target_session_attrs=any", "TargetSessionAttributes", null)]
    [InlineData("host=a,b&target_session_attrs=any", "TargetSessionAttributes", "any")]
    [InlineData("host=a,b&target_session_attrs=read-write", "TargetSessionAttributes", "read-write")]
    [InlineData("target_session_attrs=read-only&host=a,b", "TargetSessionAttributes", "read-only")]
    [InlineData("host=a,b&target_session_attrs=primary", "TargetSessionAttributes", "primary")]
    [InlineData("host=a,b&target_session_attrs=standby", "TargetSessionAttributes", "standby")]
    [InlineData("host=a,b&target_session_attrs=prefer-standby", "TargetSessionAttributes", "prefer-standby")]
    public void Translates_each_parameter_to_the_drivers(string query, string property, object? expected)
    {
        var read = PostgresUri.Parse("DATABASE_URL", $"postgresql://db.example/app?{query}");

        Assert.Equal(expected, typeof(NpgsqlConnectionStringBuilder).GetProperty(property)!.GetValue(read));
        NpgsqlDataSource.Create(read).Dispose();
    }

    [Theory]
    [MemberData(nameof(RefusedPostgresUris.Cases), MemberType = typeof(RefusedPostgresUris))]
    public void An_invalid_address_is_refused_with_advice_and_without_the_password(string uri, string advice)
    {
        uri = uri.Replace("{canary}", Canary, StringComparison.Ordinal)
            .Replace("{can}", Canary[..4], StringComparison.Ordinal).Replace("{ary}", Canary[4..], StringComparison.Ordinal);

        var refusal = Assert.Throws<SettingException>(() => PostgresUri.Parse("DATABASE_URL", uri));

        Assert.StartsWith("DATABASE_URL: ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(advice, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(Canary[..4], uri, StringComparison.Ordinal);
        var shown = refusal.ToString().Replace(refusal.StackTrace!, "", StringComparison.Ordinal);
        Assert.All(Enumerable.Range(0, Canary.Length - 1), i =>
            Assert.DoesNotContain(Canary.Substring(i, 2), shown, StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("postgresql://h", true)]
    [InlineData("postgres://", true)]
    [InlineData("Postgresql+AsyncPG://h", true)]
    [InlineData("postgre://h", false)]
    [InlineData("postgresql:/h", false)]
    [InlineData("postgresql+other://h", false)]
    [InlineData(" postgresql://h", false)]
    [InlineData("host=h", false)]
    public void Recognizes_its_addresses_by_their_scheme(string value, bool matches) => Assert.Equal(matches, PostgresUri.Matches(value));
}
