/// What no developer means by a change, whatever `.gitignore` says.
enum BuiltInIgnores {
    private static let directories: Set<String> = ["node_modules", "__pycache__", "site-packages"]
    private static let suffixes = [
        // Editors' backups and swap files, compiled modules, databases at work.
        "~", ".swp", ".swx", ".swo", ".tmp", ".pyc", ".pyo", ".sqlite3", "-wal", "-shm", "-journal", ".log", ".pid",
    ]

    /// Whether an entry of this name is left alone. Names with a dot in front always are.
    static func contains(_ name: String, isDirectory: Bool) -> Bool {
        if name.hasPrefix(".") { return true }
        if isDirectory { return directories.contains(name) }
        // 4913 is what vim writes to see whether it may; #…# is Emacs.
        return name == "4913" || name.hasPrefix("#") || suffixes.contains { name.hasSuffix($0) }
    }
}
