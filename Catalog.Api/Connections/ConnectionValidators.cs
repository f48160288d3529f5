using Catalog.Api.Http;
using FluentValidation;

namespace Catalog.Api.Connections;

internal abstract class ConnectionFieldsValidator<T> : AbstractValidator<T> where T : PutConnection
{
    protected ConnectionFieldsValidator()
    {
        RuleFor(connection => connection.Type).Key()
            .Must(type => type is null || type.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character)
                || character is '_' or '-'))
            .WithMessage("must contain only lower-case letters, digits, _ and -.");
        RuleFor(connection => connection.Config).NotNull().WithMessage("is required: an object.").Object();
        RuleFor(connection => connection).Custom((connection, context) =>
        {
            foreach (var (pointer, messages) in ConnectionConfig.Read(connection.Type ?? "", connection.Config).Errors ?? [])
            {
                context.AddFailure(pointer, string.Join(" ", messages));
            }
        });
    }
}

internal sealed class PutConnectionValidator : ConnectionFieldsValidator<PutConnection>;

internal sealed class PostConnectionValidator : ConnectionFieldsValidator<PostConnection>
{
    public PostConnectionValidator() => RuleFor(connection => connection.Id).Key();
}

internal sealed class ConnectionQueryValidator : ListQueryValidator<ConnectionQuery>
{
    public ConnectionQueryValidator() => RuleFor(query => query.Type).Text(Validation.MaxKey);
}
