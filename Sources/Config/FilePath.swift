/// Paths as text.
enum FilePath {
    /// `path`, absolute: relative ones are taken as relative to `directory`. `.` and `..` at its start are resolved.
    static func absolute(_ path: String, in directory: String) -> String {
        if path.hasPrefix("/") { return path }
        var directory = directory[...]
        var rest = path[...]
        while true {
            if rest.hasPrefix("./") {
                rest = rest.dropFirst(2).drop { $0 == "/" }
            } else if rest.hasPrefix("../"), let parent = parent(directory) {
                rest = rest.dropFirst(3).drop { $0 == "/" }
                directory = parent
            } else {
                break
            }
        }
        if rest == "..", let parent = parent(directory) { (rest, directory) = ("", parent) }
        if rest == "." { rest = "" }
        let base = directory == "/" ? "" : directory
        return rest.isEmpty ? (base.isEmpty ? "/" : String(base)) : "\(base)/\(rest)"
    }

    /// The directory of an absolute path.
    static func directory(of path: String) -> String {
        parent(path[...]).map(String.init) ?? "/"
    }

    /// The directory above, unless symbolic or relative steps would make that wrong.
    private static func parent(_ path: Substring) -> Substring? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let last = path[path.index(after: slash)...]
        guard last != "..", last != "." else { return nil }
        return slash == path.startIndex ? "/" : path[..<slash]
    }
}
