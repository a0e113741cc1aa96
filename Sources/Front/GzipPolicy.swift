public import HTTP

/// Which responses are compressed, and how well.
public struct GzipPolicy: Sendable, Equatable {
    /// Bodies smaller than this many bytes stay as they are.
    public let minSize: Int
    /// zlib's level, 1 (fast) to 9 (small).
    public let level: Int
    /// The media types that are worth it.
    public let types: MediaTypeSet

    /// A policy; `level` is clamped to 1...9. `types` are patterns as `text/*` and `application/json`.
    public init(
        minSize: Int = 1024, level: Int = 6,
        types: [String] = ["text/*", "application/json", "application/javascript", "image/svg+xml"]
    ) {
        self.minSize = minSize
        self.level = min(max(level, 1), 9)
        self.types = MediaTypeSet(types)
    }
}
