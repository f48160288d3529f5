using System.Text.Encodings.Web;
using System.Text.Json;
using Catalog.Data.Events;
using Catalog.Data.Lineage;

namespace Catalog.Data.Marquez;

/// <summary>
/// The namespace and the name of a job or a dataset. Marquez requires a namespace; pipelines and datasets that have
/// none are shown in <see cref="DefaultNamespace"/>.
/// </summary>
/// <param name="Namespace">The namespace, never empty when it is shown.</param>
/// <param name="Name">The name.</param>
public sealed record NodeName(string Namespace, string Name)
{
    /// <summary>The namespace that is shown for pipelines and datasets without a namespace.</summary>
    public const string DefaultNamespace = "default";

    /// <summary>The ids of the pipelines that may have this name, the likeliest first.</summary>
    public string[] PipelineIds =>
        Namespace == DefaultNamespace ? [JobId.Of(Namespace, Name), JobId.Of("", Name)] : [JobId.Of(Namespace, Name)];

    /// <summary>The keys of the datasets that may have this name, the likeliest first.</summary>
    public Guid[] DatasetKeys =>
        Namespace == DefaultNamespace ? [DatasetId.Of(Namespace, Name), DatasetId.Of(Name)] : [DatasetId.Of(Namespace, Name)];

    /// <summary>The name of a dataset.</summary>
    public static NodeName Of(Dataset dataset) => new(Shown(dataset.Namespace), dataset.Name);

    /// <summary>The name of a pipeline.</summary>
    /// <param name="id">The pipeline's id.</param>
    /// <param name="reported">
    /// The body that <see cref="JobRegistration"/> stored; null for a pipeline that no event registered. Only the body
    /// tells where the namespace in an id ends.
    /// </param>
    public static NodeName OfPipeline(string id, string? reported)
    {
        if (reported is null)
        {
            return new(DefaultNamespace, id);
        }

        using var json = JsonDocument.Parse(reported);
        var job = json.RootElement.GetProperty("job");
        return new(Shown(job.GetProperty("namespace").GetString()!), job.GetProperty("name").GetString()!);
    }

    /// <summary>A text that the body of each reported job of a namespace contains. No other body contains it.</summary>
    public static string BodyPart(string @namespace) =>
        $$""","job":{"namespace":"{{JavaScriptEncoder.Default.Encode(@namespace)}}","name":""";

    private static string Shown(string @namespace) => @namespace.Length == 0 ? DefaultNamespace : @namespace;
}
