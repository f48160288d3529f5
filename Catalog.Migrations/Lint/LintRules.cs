namespace Catalog.Migrations.Lint;

/// <summary>Every rule that scripts are held to.</summary>
internal static class LintRules
{
    public static readonly IReadOnlyList<LintRule> All = [.. LossRules.All, .. DropRules.All, .. LockRules.All, .. TableLockRules.All, .. TypeRules.All, .. ScriptRules.All, .. SettingRules.All, .. SqliteRules.All];

    public static LintRule Find(string id) => All.Single(rule => rule.Id == id);
}
