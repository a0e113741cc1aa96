/// One line of a site's URL table, for `app routes`.
public struct RouteListing: Sendable, Equatable {
    /// The pattern, from where the site is mounted: `/<int:id>/`.
    public let pattern: String
    /// The name with its namespaces, if it has one.
    public let name: String?
    /// The view's type, or `function`.
    public let view: String
    /// Whether the view runs on the event loop instead of the thread pool.
    public let isAsynchronous: Bool
}
