/// What a changed file means for the pages that are open.
public enum Change: Hashable, Sendable {
    /// A style sheet: exchanged in place. The file's path.
    case style(String)
    /// A template, a picture, a script: the page is loaded again.
    case page
    /// A module of a Python application: its workers are replaced.
    case python
    /// Source of a Swift site: built, and the server replaced.
    case swift
    /// The configuration.
    case configuration
}
