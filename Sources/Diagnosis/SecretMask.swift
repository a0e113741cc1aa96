/// Keeps secrets out of what a developer is shown.
public enum SecretMask {
    /// Values whose names hold one of these are not shown (Django's `HIDDEN_SETTINGS`, and what carries credentials).
    private static let words = ["auth", "cookie", "csrf", "token", "secret", "pass", "key", "signature", "session"]

    /// What stands for a secret.
    public static let text = "****"

    /// Whether the value of that name is not to be shown.
    public static func hides(_ name: String) -> Bool {
        let name = name.lowercased()
        return words.contains { name.contains($0) }
    }

    /// The same rows, without the values that are secret by their names.
    public static func applied(to rows: [(String, String)]) -> [(String, String)] {
        rows.map { ($0, hides($0) ? text : $1) }
    }
}
