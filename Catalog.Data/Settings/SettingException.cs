namespace Catalog.Data.Settings;

/// <summary>An invalid setting. The message names the setting and the fix, and contains no secret.</summary>
public sealed class SettingException(string message) : Exception(message);
