using System.Data;
using Catalog.Data.Database.Sqlite;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Catalog.Data.Database;

/// <summary>Dapper type handlers for the types that SQLite stores as text.</summary>
internal static class DapperTypes
{
    private static readonly Lock Registration = new();
    private static bool _registered;

    public static void Register()
    {
        lock (Registration)
        {
            if (_registered)
            {
                return;
            }

            DefaultTypeMap.MatchNamesWithUnderscores = true;
            foreach (var type in new[] { typeof(DateTimeOffset), typeof(DateTimeOffset?), typeof(Guid), typeof(Guid?) })
            {
                SqlMapper.RemoveTypeMap(type);
            }

            SqlMapper.AddTypeHandler(new InstantHandler());
            SqlMapper.AddTypeHandler(new GuidHandler());
            _registered = true;
        }
    }

    private static object Parameter(IDbDataParameter parameter, object value) =>
        parameter is SqliteParameter ? SqliteValue.From(value) : value;

    private sealed class InstantHandler : SqlMapper.TypeHandler<DateTimeOffset>
    {
        public override void SetValue(IDbDataParameter parameter, DateTimeOffset value) => parameter.Value = Parameter(parameter, value);

        public override DateTimeOffset Parse(object value) => value switch
        {
            string text => SqliteValue.ToInstant(text),
            DateTime utc => new DateTimeOffset(DateTime.SpecifyKind(utc, DateTimeKind.Utc)),
            _ => (DateTimeOffset)value,
        };
    }

    private sealed class GuidHandler : SqlMapper.TypeHandler<Guid>
    {
        public override void SetValue(IDbDataParameter parameter, Guid value) => parameter.Value = Parameter(parameter, value);

        public override Guid Parse(object value) => value is string text ? Guid.ParseExact(text, "D") : (Guid)value;
    }
}
